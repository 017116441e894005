"""Everything people read exists in English, and what is compiled is what is written.

When it fails: `python -m guanjia.base.tests.catalogue`, then fill in what is missing in the .po file.
"""

import re

import pytest
from django.utils import translation
from django.utils.translation import gettext, ngettext

from guanjia.base.tests import catalogue

PLACEHOLDER = re.compile(r"%\((\w+)\)")


@pytest.fixture(scope="module")
def english():
    return catalogue.read()


def ids(catalog):
    return {message.id for message in catalog if message.id}


def test_every_message_has_english(english):
    lacking = ids(catalogue.messages()) - (ids(english) - set(catalogue.untranslated(english)))
    assert sorted(map(str, lacking)) == []


def test_no_message_is_left_over(english):
    assert ids(english) - ids(catalogue.messages()) == set()


def test_what_is_compiled_is_what_is_written(english):
    assert catalogue.MO.read_bytes() == catalogue.compiled(english), "run guanjia.base.tests.catalogue"


def test_translations_keep_the_placeholders(english):
    wrong = []
    for message in english:
        texts = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string)
        wanted = {name for text in texts for name in PLACEHOLDER.findall(text)}
        wrong += [text for text in strings if message.id and set(PLACEHOLDER.findall(text)) != wanted]
    assert wrong == []


def test_english_is_english(english):
    """No Chinese left in a translation, but for the name of the house's other language."""
    assert [m.id for m in english if re.search(r"[\u4e00-\u9fff]", "".join(m.string))] == []


def test_django_finds_both_languages():
    with translation.override("en"):
        assert gettext("一扇门") == "One door"
        assert ngettext("%(n)d 天", "%(n)d 天", 1) % {"n": 1} == "1 day"
        assert ngettext("%(n)d 天", "%(n)d 天", 2) % {"n": 2} == "2 days"
    with translation.override("zh-hans"):
        assert gettext("一扇门") == "一扇门"
