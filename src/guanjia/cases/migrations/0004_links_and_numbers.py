from django.db import migrations

# Both cases are locked first, in order of their ids: of two links made at once the second sees the first.
# A link is only made within one merchant, and merges and parts are one level deep: a case that has been
# merged takes nothing in, a part has no parts.
KEEP = """
CREATE FUNCTION case_keep_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the number of case % is never changed', OLD.number USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER case_number_stays BEFORE UPDATE OF number ON cases_case
  FOR EACH ROW WHEN (OLD.number IS DISTINCT FROM NEW.number) EXECUTE FUNCTION case_keep_number();

CREATE FUNCTION link_one_merchant_one_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM cases_case WHERE id IN (NEW.source_id, NEW.target_id) ORDER BY id FOR NO KEY UPDATE;
  IF (SELECT count(DISTINCT merchant_id) FROM cases_case WHERE id IN (NEW.source_id, NEW.target_id)) > 1 THEN
    RAISE EXCEPTION 'cases of two merchants are not linked' USING ERRCODE = 'check_violation',
      CONSTRAINT = 'link_within_one_merchant';
  END IF;
  IF NEW.kind IN ('merged', 'part') AND EXISTS (
    SELECT FROM cases_caselink l WHERE l.kind = NEW.kind AND l.id <> NEW.id
      AND (l.target_id = NEW.source_id OR l.source_id = NEW.target_id)) THEN
    RAISE EXCEPTION 'a % case has no % cases of its own', NEW.kind, NEW.kind USING ERRCODE = 'check_violation',
      CONSTRAINT = 'link_one_level';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER link_one_merchant_one_level BEFORE INSERT OR UPDATE ON cases_caselink
  FOR EACH ROW EXECUTE FUNCTION link_one_merchant_one_level();
CREATE SEQUENCE cases_major_number;
"""
DROP = """
DROP TRIGGER case_number_stays ON cases_case;
DROP FUNCTION case_keep_number();
DROP TRIGGER link_one_merchant_one_level ON cases_caselink;
DROP FUNCTION link_one_merchant_one_level();
DROP SEQUENCE cases_major_number;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_case_follows_its_clocks")]
    operations = [migrations.RunSQL(KEEP, DROP)]
