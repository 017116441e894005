from django.db import migrations

# What is to be indexed again is a flow row, written with the change itself; a worker sees it within a
# second. Nobody is notified: a notification holds a lock that all who commit share, and intake would pay.
# Row by row where rows come one by one; merchants may come by the million, so theirs are told in blocks.
FOLLOW = """
CREATE FUNCTION search_case_again(which bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO base_flow (name, key, due_at) VALUES ('search', which, clock_timestamp())
  ON CONFLICT (name, key) DO UPDATE SET due_at = LEAST(base_flow.due_at, excluded.due_at)
$$;
CREATE FUNCTION search_case_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM search_case_again(NEW.id);
  RETURN NULL;
END $$;
CREATE FUNCTION search_part_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM search_case_again(OLD.case_id);
    RETURN NULL;
  END IF;
  PERFORM search_case_again(NEW.case_id);
  IF TG_OP = 'UPDATE' AND OLD.case_id <> NEW.case_id THEN
    PERFORM search_case_again(OLD.case_id);
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION search_merchants_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- The transaction is part of the key: two imports never wait for each other here.
  INSERT INTO base_flow (name, key, due_at)
  SELECT 'search_merchants', (pg_current_xact_id()::text::bigint << 24) | block, clock_timestamp()
  FROM (SELECT DISTINCT id >> 10 AS block FROM changed) b
  ON CONFLICT (name, key) DO NOTHING;
  RETURN NULL;
END $$;
CREATE FUNCTION search_merchant_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM search_case_again(id) FROM (
    SELECT id FROM cases_case WHERE merchant_id = NEW.id ORDER BY id DESC LIMIT 2000) newest ORDER BY id;
  RETURN NULL;
END $$;

CREATE TRIGGER search_new_case AFTER INSERT ON cases_case FOR EACH ROW EXECUTE FUNCTION search_case_changed();
CREATE TRIGGER search_case_of AFTER UPDATE OF title, need, number, merchant_id ON cases_case
  FOR EACH ROW EXECUTE FUNCTION search_case_changed();
CREATE TRIGGER search_words_on_case AFTER INSERT OR DELETE OR UPDATE OF case_id, body, internal ON cases_message
  FOR EACH ROW EXECUTE FUNCTION search_part_changed();
CREATE TRIGGER search_files_on_case AFTER INSERT OR DELETE OR UPDATE OF case_id, name, message_id ON cases_attachment
  FOR EACH ROW EXECUTE FUNCTION search_part_changed();
CREATE TRIGGER search_new_merchants AFTER INSERT ON merchants_merchant
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_merchants_changed();
CREATE TRIGGER search_merchants AFTER UPDATE ON merchants_merchant
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_merchants_changed();
CREATE TRIGGER search_cases_of_merchant AFTER UPDATE OF name ON merchants_merchant
  FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION search_merchant_renamed();
"""
LEAVE = """
DROP TRIGGER search_cases_of_merchant ON merchants_merchant;
DROP TRIGGER search_merchants ON merchants_merchant;
DROP TRIGGER search_new_merchants ON merchants_merchant;
DROP TRIGGER search_files_on_case ON cases_attachment;
DROP TRIGGER search_words_on_case ON cases_message;
DROP TRIGGER search_case_of ON cases_case;
DROP TRIGGER search_new_case ON cases_case;
DROP FUNCTION search_merchant_renamed();
DROP FUNCTION search_merchants_changed();
DROP FUNCTION search_part_changed();
DROP FUNCTION search_case_changed();
DROP FUNCTION search_case_again(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("search", "0001_tables"), ("base", "0001_tables")]
    operations = [migrations.RunSQL(FOLLOW, LEAVE)]
