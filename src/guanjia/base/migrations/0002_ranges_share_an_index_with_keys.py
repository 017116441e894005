from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("base", "0001_tables")]
    run_before = [("people", "0001_tables"), ("coverage", "0001_tables")]
    operations = [BtreeGistExtension()]
