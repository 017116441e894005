from django.db import migrations

# Statement-level, so that a batch of clocks costs one look; the cases are locked in order of their ids
# first, so that two batches that touch the same cases cannot wait for each other in a circle. An update
# is made only where something differs: a case is inserted with its deadline, and costs nothing more.
FOLLOW = """
CREATE FUNCTION case_follow_clocks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM cases_case WHERE id IN (SELECT case_id FROM changed) ORDER BY id FOR NO KEY UPDATE;
  UPDATE cases_case c SET due_at = f.due_at, state = f.state
  FROM (
    SELECT touched.case_id, min(k.due_at) AS due_at,
      CASE WHEN was.state IN ('solved', 'closed') THEN was.state
           WHEN bool_or(k.kind = 'merchant_answer') THEN 'waiting_merchant'
           WHEN bool_or(k.kind = 'line_decision') THEN 'waiting_line'
           ELSE 'open' END AS state
    FROM (SELECT DISTINCT case_id FROM changed) touched
    JOIN cases_case was ON was.id = touched.case_id
    LEFT JOIN cases_clock k ON k.case_id = touched.case_id AND k.stopped_at IS NULL
    GROUP BY touched.case_id, was.state
  ) f
  WHERE c.id = f.case_id AND (c.due_at, c.state) IS DISTINCT FROM (f.due_at, f.state);
  RETURN NULL;
END $$;
CREATE TRIGGER case_follows_new_clocks AFTER INSERT ON cases_clock
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION case_follow_clocks();
CREATE TRIGGER case_follows_its_clocks AFTER UPDATE ON cases_clock
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION case_follow_clocks();
"""
LEAVE = """
DROP TRIGGER case_follows_its_clocks ON cases_clock;
DROP TRIGGER case_follows_new_clocks ON cases_clock;
DROP FUNCTION case_follow_clocks();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_first_contact_is_never_erased")]
    operations = [migrations.RunSQL(FOLLOW, LEAVE)]
