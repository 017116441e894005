"""The tables are those of the models, and the way to them can be gone back."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection


@pytest.mark.django_db
def test_no_model_differs_from_its_tables():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db
def test_every_migration_of_the_house_is_named_for_its_effect():
    rooms = [app.label for app in apps.get_app_configs() if app.name.startswith("guanjia.")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM django_migrations WHERE app = ANY(%s)", [rooms])
        names = [name for (name,) in cursor.fetchall()]
    assert names
    assert [name for name in names if "auto" in name or name.endswith("initial")] == []
