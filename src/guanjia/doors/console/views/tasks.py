"""Tasks from the desk: done with a word, or a question back."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Missing, Refusal
from guanjia.cases.actions import finish_task, say_on_task
from guanjia.doors.console.queries.tasks import task_of, tasks_of
from guanjia.people.pages import Visit, page


@page()
def tasks(visit: Visit) -> HttpResponse:
    """What somebody was asked to do."""
    todo, over = tasks_of(visit.user, visit.now)
    return visit.render("doors/console/tasks.html", {"todo": todo, "over": over})


@page("GET", "POST")
def task(visit: Visit, pk: int) -> HttpResponse:
    """One task. It says all that its doer may know."""
    found, words = task_of(visit.user, pk, visit.now)
    form, refusal = visit.request.POST, None
    if visit.request.method == "POST":
        try:
            if "done" in form:
                finish_task(actor=visit.user, task=pk, word=form.get("word", ""), now=visit.now)
                return visit.go(reverse("console_tasks"), told=_("做完了，对方已知道。"))
            say_on_task(actor=visit.user, task=pk, body=form.get("word", ""), asks=True, now=visit.now)
            return visit.go(reverse("console_task", args=[pk]), told=_("问回去了。"))
        except Missing:
            raise
        except Refusal as caught:
            refusal = caught
    content = {"task": found, "words": words, "form": form, "refusal": refusal}
    return visit.render("doors/console/task.html", content, status=refusal.status if refusal else 200)
