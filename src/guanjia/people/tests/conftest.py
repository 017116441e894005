import pytest


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    """A real one costs half a second, and is not what is tested here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
