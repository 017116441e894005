from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("packages", "0001_tables")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE packages_number", "DROP SEQUENCE packages_number")
    ]
