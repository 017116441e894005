from django.db import migrations

# Most files are compressed already: PostgreSQL need not try again, and can read a part without the rest.
AS_THEY_COME = "ALTER TABLE base_piece ALTER COLUMN content SET STORAGE EXTERNAL"
EXTENDED = "ALTER TABLE base_piece ALTER COLUMN content SET STORAGE EXTENDED"


class Migration(migrations.Migration):
    dependencies = [("base", "0002_ranges_share_an_index_with_keys")]
    operations = [migrations.RunSQL(AS_THEY_COME, EXTENDED)]
