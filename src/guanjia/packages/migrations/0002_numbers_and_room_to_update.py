from django.db import migrations

# A package's rows are updated a few times and then rest: room on the page keeps those updates from
# touching any index (heap-only tuples).
ROOM = """
ALTER TABLE packages_package SET (fillfactor = 70);
ALTER TABLE packages_item SET (fillfactor = 60);
CREATE SEQUENCE packages_number;
"""
NO_ROOM = """
DROP SEQUENCE packages_number;
ALTER TABLE packages_item RESET (fillfactor);
ALTER TABLE packages_package RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [("packages", "0001_tables")]
    operations = [migrations.RunSQL(ROOM, NO_ROOM)]
