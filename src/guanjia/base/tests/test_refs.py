import pytest
from django.urls import resolve, reverse
from hypothesis import given
from hypothesis import strategies as st

from guanjia.base.refs import Reference

KINDS = Reference()


@given(st.text(min_size=1).filter(lambda text: "\x00" not in text))
def test_a_reference_comes_back_and_stays_one_part_of_the_path(ref):
    written = KINDS.to_url(ref)
    assert "/" not in written
    assert written not in (".", "..")
    assert KINDS.to_python(written) == ref


@pytest.mark.parametrize("ref", ["M-1042", "a/b", "..", "~2F", "商家 7", "50%", "a?b#c"])
def test_a_merchants_door_has_an_address_whatever_its_reference(ref):
    from urllib.parse import unquote  # as the server does before anything is matched

    assert resolve(unquote(reverse("door", args=[ref]))).kwargs == {"ref": ref}
