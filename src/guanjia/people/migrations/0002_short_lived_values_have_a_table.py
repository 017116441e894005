"""The table of django.core.cache: what Django's `createcachetable` would make."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("people", "0001_tables")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE people_short_lived (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamp with time zone NOT NULL
            );
            CREATE INDEX people_short_lived_expires ON people_short_lived (expires);
            """,
            "DROP TABLE people_short_lived",
        )
    ]
