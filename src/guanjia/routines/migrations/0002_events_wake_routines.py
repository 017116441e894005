from django.db import migrations

# The test against a table of a few rows is all that an event costs which nobody waits for. No NOTIFY, for
# which all commits would queue: the workers' pulse sees what is due within a second. What a routine
# itself brings about carries the outcome it belongs to (`guanjia.cause`), so that no chain can run in a
# circle. A version that was switched on once stays what it was.
WAKE = """
CREATE FUNCTION routines_hear() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM routines_listening WHERE kind = NEW.kind) THEN
    INSERT INTO routines_heard (event, cause)
    VALUES (NEW.id, nullif(current_setting('guanjia.cause', true), '')::bigint);
    INSERT INTO base_flow (name, key, due_at) VALUES ('routines.run', NEW.id, now())
    ON CONFLICT (name, key) DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER routines_hear_events AFTER INSERT ON ledger_event
  FOR EACH ROW WHEN (NEW.merchant_id IS NOT NULL) EXECUTE FUNCTION routines_hear();

CREATE FUNCTION routines_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'version % of routine % was switched on and never changes', OLD.number, OLD.routine_id
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER routines_version_stays BEFORE UPDATE ON routines_version FOR EACH ROW
  WHEN (OLD.activated_at IS NOT NULL
    AND (OLD.content, OLD.number, OLD.routine_id) IS DISTINCT FROM (NEW.content, NEW.number, NEW.routine_id))
  EXECUTE FUNCTION routines_keep_version();

CREATE INDEX case_live_walk ON cases_case (id) WHERE state IN ('open', 'waiting_line', 'waiting_merchant');
CREATE INDEX case_solved_walk ON cases_case (id) WHERE state = 'solved';
CREATE INDEX event_recent ON ledger_event USING brin (at) WITH (pages_per_range = 32);
"""
SLEEP = """
DROP INDEX event_recent;
DROP INDEX case_solved_walk;
DROP INDEX case_live_walk;
DROP TRIGGER routines_version_stays ON routines_version;
DROP FUNCTION routines_keep_version();
DROP TRIGGER routines_hear_events ON ledger_event;
DROP FUNCTION routines_hear();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0001_tables"),
        ("ledger", "0002_events_are_append_only"),
        ("cases", "0003_case_follows_its_clocks"),
    ]
    operations = [migrations.RunSQL(WAKE, SLEEP)]
