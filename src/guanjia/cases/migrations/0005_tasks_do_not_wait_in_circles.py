from django.db import migrations

# The case is locked first, so that of two edges that would close a circle together the second one sees
# the first: each statement of the function reads afresh.
GUARD = """
CREATE FUNCTION task_block_is_sound() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  mine bigint; other bigint;
BEGIN
  SELECT case_id INTO mine FROM cases_task WHERE id = NEW.task_id;
  SELECT case_id INTO other FROM cases_task WHERE id = NEW.by_id;
  IF mine <> other THEN
    RAISE EXCEPTION 'task % and task % are of two cases', NEW.task_id, NEW.by_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  PERFORM FROM cases_case WHERE id = mine FOR NO KEY UPDATE;
  IF EXISTS (
    WITH RECURSIVE before(id) AS (
      SELECT NEW.by_id
      UNION SELECT b.by_id FROM cases_taskblock b JOIN before ON b.task_id = before.id)
    SELECT FROM before WHERE id = NEW.task_id) THEN
    RAISE EXCEPTION 'task % would wait for itself', NEW.task_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER task_block_sound BEFORE INSERT OR UPDATE ON cases_taskblock
  FOR EACH ROW EXECUTE FUNCTION task_block_is_sound();
"""
FREE = """
DROP TRIGGER task_block_sound ON cases_taskblock;
DROP FUNCTION task_block_is_sound();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_links_and_numbers")]
    operations = [migrations.RunSQL(GUARD, FREE)]
