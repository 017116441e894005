from django.db import migrations

# As `post.tellings.WAKING` has them; a test compares the two. A kind added later needs a migration of its
# own that replaces this function, so that what a database does always follows from its migrations.
KINDS = (
    "cases.opened",
    "cases.message_sent",
    "cases.mentioned",
    "cases.approval_asked",
    "cases.approval_given",
    "cases.approval_returned",
    "cases.solved",
    "cases.reopened",
    "cases.wait_begun",
    "cases.promised",
    "cases.rated",
    "cases.merged",
    "cases.task_opened",
    "cases.task_asked",
    "cases.task_given",
    "cases.task_freed",
    "cases.task_said",
    "cases.task_overdue",
    "cases.handed_over",
    "cases.handover_answered",
    "cases.clock_warned",
    "cases.clock_breached",
    "packages.moved",
    "packages.accepted",
    "packages.answered",
    "routines.turned_off",
    "lines.mandate_granted",
    "lines.mandate_revoked",
    "lines.conformance_finished",
    "post.letter_returned",
    "post.endpoint_disabled",
    "merchants.member_removed",
)
# Without a NOTIFY, which would make all commits queue for one lock: the workers' pulse sees what is due
# within a second.
WAKE = """
CREATE OR REPLACE FUNCTION post_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO base_flow (name, key, due_at)
    SELECT 'post.tell', id, now() FROM written WHERE kind = ANY (ARRAY[%s])
    ON CONFLICT (name, key) DO NOTHING;
  RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER ledger_event_wakes_the_post AFTER INSERT ON ledger_event
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION post_tell();
"""
PUBLIC = """
CREATE FUNCTION post_public_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.side <> 'house' AND EXISTS (
    SELECT FROM cases_message WHERE id = NEW.message_id AND internal) THEN
    RAISE EXCEPTION 'an internal note is never news for a merchant' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER post_news_is_public BEFORE INSERT OR UPDATE ON post_news
  FOR EACH ROW WHEN (NEW.message_id IS NOT NULL) EXECUTE FUNCTION post_public_only();
"""
SWEEP = "INSERT INTO base_flow (name, key, due_at) VALUES ('post.sweep', 1, now());"
SLEEP = """
DROP TRIGGER ledger_event_wakes_the_post ON ledger_event;
DROP FUNCTION post_tell();
DROP TRIGGER post_news_is_public ON post_news;
DROP FUNCTION post_public_only();
DELETE FROM base_flow WHERE name = 'post.sweep';
"""
LISTED = ", ".join(f"'{kind}'" for kind in KINDS)


class Migration(migrations.Migration):
    dependencies = [
        ("post", "0001_tables"),
        ("base", "0001_tables"),
        ("ledger", "0001_tables"),
        ("cases", "0001_tables"),
    ]
    operations = [migrations.RunSQL(WAKE % LISTED + TRIGGER + PUBLIC + SWEEP, SLEEP)]
