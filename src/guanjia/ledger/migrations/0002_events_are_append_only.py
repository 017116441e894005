from django.db import migrations

REFUSE = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the event log is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_event_is_append_only BEFORE UPDATE OR DELETE ON ledger_event
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
"""
ALLOW = "DROP TRIGGER ledger_event_is_append_only ON ledger_event; DROP FUNCTION ledger_refuse();"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_tables")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
