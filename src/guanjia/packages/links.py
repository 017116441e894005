"""A link with which anybody who was given it may read one package's page, and nothing else."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from guanjia.packages.models import Package

_SIGNER = "guanjia.packages.link"


def package_link(package: Package) -> str:
    """The address of the package's page with its key; it holds as long as the installation's secret."""
    return settings.BASE_URL + page_path(package.number)


def page_path(number: str) -> str:
    """The link without the installation's address."""
    return f"{reverse('package_page', args=[number])}?{urlencode({'key': link_key(number)})}"


def link_key(number: str) -> str:
    return signing.Signer(salt=_SIGNER).signature(number)


def opens(number: str, key: str) -> bool:
    return constant_time_compare(link_key(number), key)
