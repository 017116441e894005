from django.db import migrations

# A file is read where its message is; and nothing of it is left when its row goes, whoever deletes that.
FOLLOW = """
CREATE FUNCTION file_follows_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE cases_attachment SET case_id = NEW.case_id WHERE message_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER message_takes_its_files AFTER UPDATE OF case_id ON cases_message
  FOR EACH ROW WHEN (OLD.case_id IS DISTINCT FROM NEW.case_id) EXECUTE FUNCTION file_follows_message();

CREATE FUNCTION file_drops_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM base_piece WHERE blob = OLD.blob;
  RETURN NULL;
END $$;
CREATE TRIGGER file_leaves_nothing AFTER DELETE ON cases_attachment
  FOR EACH ROW WHEN (OLD.blob IS NOT NULL) EXECUTE FUNCTION file_drops_content();
"""
STAY = """
DROP TRIGGER file_leaves_nothing ON cases_attachment;
DROP FUNCTION file_drops_content();
DROP TRIGGER message_takes_its_files ON cases_message;
DROP FUNCTION file_follows_message();
"""


class Migration(migrations.Migration):
    dependencies = [("base", "0001_tables"), ("cases", "0005_tasks_do_not_wait_in_circles")]
    operations = [migrations.RunSQL(FOLLOW, STAY)]
