from django.db import migrations

# The flow that asks the mailbox never ends, so nobody has to begin it; without a mailbox it only sleeps.
ASK = """
INSERT INTO base_flow (name, key, due_at) VALUES ('post.mailbox', 1, now()) ON CONFLICT DO NOTHING;

CREATE FUNCTION mail_drops_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM base_piece WHERE blob = OLD.blob;
  RETURN NULL;
END $$;
CREATE TRIGGER mail_leaves_nothing AFTER DELETE ON post_incomingmail
  FOR EACH ROW WHEN (OLD.blob IS NOT NULL) EXECUTE FUNCTION mail_drops_content();
"""
FORGET = """
DROP TRIGGER mail_leaves_nothing ON post_incomingmail;
DROP FUNCTION mail_drops_content();
DELETE FROM base_flow WHERE name = 'post.mailbox';
"""


class Migration(migrations.Migration):
    dependencies = [("base", "0001_tables"), ("post", "0002_events_wake_the_post")]
    operations = [migrations.RunSQL(ASK, FORGET)]
