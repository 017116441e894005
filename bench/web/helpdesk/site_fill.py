"""Migrate it, and seed N tickets in five queues, 22% of them open, by one statement over the whole set.

Prints, as JSON, what to ask for: its REST intake, its list (the rows behind its page) and one ticket.
"""

import base64
import json
import sys

import django

django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from helpdesk.models import Queue  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

TICKETS = """
INSERT INTO helpdesk_ticket (title, queue_id, created, modified, submitter_email, assigned_to_id, status,
  on_hold, description, resolution, priority, last_escalation, secret_key)
SELECT 'Ticket ' || i, (SELECT min(id) FROM helpdesk_queue) + i %% 5,
  now() - (%(tickets)s - i) * interval '1 minute',
  now(), 'm' || i || '@example.com', CASE WHEN i %% 2 = 0 THEN %(user)s END,
  CASE WHEN (i * 31) %% 100 < 22 THEN 1 ELSE 4 END, false, 'Wants a banner', '', 1 + i %% 5, NULL, 'secret'
FROM generate_series(1, %(tickets)s) i
"""
FOLLOWUPS = """
INSERT INTO helpdesk_followup (ticket_id, date, title, comment, public, user_id, new_status, message_id)
SELECT id, created, 'Opened', 'As asked', true, %(user)s, 1, '' FROM helpdesk_ticket WHERE status = 1
"""


def fill(tickets):
    call_command("migrate", verbosity=0, interactive=False)
    user = get_user_model().objects.create_superuser("bench", "bench@example.com", "x")
    for number in range(5):
        Queue.objects.create(title=f"Queue {number}", slug=f"q{number}", allow_public_submission=True)
    with connection.cursor() as cursor:
        cursor.execute(TICKETS, {"tickets": tickets, "user": user.pk})
        cursor.execute(FOLLOWUPS, {"user": user.pk})
        cursor.execute("VACUUM ANALYZE")
    return user


def cookie(user):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"sessionid={session.session_key}"


def targets(user, tickets):
    """The rows behind its list of open tickets, newest first, and open tickets."""
    query = {
        "filtering": {"status__in": [1, 2]},
        "filtering_null": {},
        "sorting": "created",
        "sortreverse": True,
    }
    asked = base64.b64encode(json.dumps(query | {"search_string": ""}).encode()).decode()
    rows = f"/datatables_ticket_list/{asked}?draw=1&start=0&length=25&order[0][column]=5&order[0][dir]=desc"
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM helpdesk_ticket WHERE status = 1 ORDER BY id DESC LIMIT 8")
        open_ones = [pk for (pk,) in cursor.fetchall()]
    signed = {"Cookie": cookie(user)}
    token = {
        "Authorization": f"Token {Token.objects.create(user=user).key}",
        "Content-Type": "application/json",
    }
    ask = {
        "queue": Queue.objects.first().pk,
        "title": "Group sale",
        "description": "A banner and three warehouses",
        "submitter_email": "m@example.com",
        "priority": 3,
    }
    return {
        "intake": [
            {
                "method": "POST",
                "path": "/api/tickets/",
                "headers": token,
                "body": json.dumps(ask),
                "status": 201,
                "holds": '"title":"Group sale"',
            }
        ],
        "list": [
            {"method": "GET", "path": rows, "headers": signed, "status": 200, "holds": '"data": [{"ticket"'}
        ],
        "ticket": [
            {
                "method": "GET",
                "path": f"/tickets/{pk}/",
                "headers": signed,
                "status": 200,
                "holds": f"Ticket {pk}",
            }
            for pk in open_ones
        ],
    }


if __name__ == "__main__":
    count = int(sys.argv[1])
    print(json.dumps(targets(fill(count), count)))
