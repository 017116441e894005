from django.db import migrations

# The flow that wakes clocks never ends, so nobody has to begin it. A version of a calendar or of the
# promises is a document that people relied on: it stays as it was.
BEGIN = """
INSERT INTO base_flow (name, key, due_at) VALUES ('cases.clocks', 1, now()) ON CONFLICT DO NOTHING;

CREATE FUNCTION cases_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a version that was in force is never changed nor removed'
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER calendar_versions_stay BEFORE UPDATE OR DELETE ON cases_calendarversion
  FOR EACH ROW EXECUTE FUNCTION cases_keep_version();
CREATE TRIGGER promise_versions_stay BEFORE UPDATE OR DELETE ON cases_promiseversion
  FOR EACH ROW EXECUTE FUNCTION cases_keep_version();
"""
END = """
DROP TRIGGER promise_versions_stay ON cases_promiseversion;
DROP TRIGGER calendar_versions_stay ON cases_calendarversion;
DROP FUNCTION cases_keep_version();
DELETE FROM base_flow WHERE name = 'cases.clocks';
"""


class Migration(migrations.Migration):
    dependencies = [("base", "0001_tables"), ("cases", "0006_files_go_with_their_message")]
    operations = [migrations.RunSQL(BEGIN, END)]
