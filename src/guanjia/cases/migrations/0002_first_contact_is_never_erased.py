from django.db import migrations

KEEP = """
CREATE FUNCTION case_keep_first_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the first contact of case % is never changed', OLD.number
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER case_first_contact_stays BEFORE UPDATE OF first_contact_id ON cases_case
  FOR EACH ROW WHEN (OLD.first_contact_id IS DISTINCT FROM NEW.first_contact_id)
  EXECUTE FUNCTION case_keep_first_contact();
CREATE SEQUENCE cases_number;
"""
DROP = """
DROP TRIGGER case_first_contact_stays ON cases_case;
DROP FUNCTION case_keep_first_contact();
DROP SEQUENCE cases_number;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_tables")]
    operations = [migrations.RunSQL(KEEP, DROP)]
