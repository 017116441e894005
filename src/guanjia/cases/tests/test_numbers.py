"""Numbers as people say, type and paste them."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guanjia.cases.numbers import case_number, numbers_in, read_number

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_number_has_six_digits_or_more():
    assert case_number(AT, 123) == "GJ-2026-000123"
    assert case_number(AT, 12_345_678) == "GJ-2026-12345678"


@pytest.mark.parametrize(
    "typed",
    [
        "GJ-2026-000123",
        "gj-2026-000123",
        "gj 2026 123",
        "gj2026000123",
        "GJ2026-123",
        "ＧＪ－２０２６－０００１２３",
        "　ｇｊ　２０２６　１２３　",
        "GJ—2026—000123",
        "GJ–2026–123",
        "GJ/2026/123",
        "gj.2026.123",
        "#GJ-2026-000123",
        "GJ-2026年123号",
        "gj 二〇二六 幺二三",
        "GJ-2O26-OOOl23",
        "2026-123",
        "2026年123号",
        "2026000123",
        "GJ_2026_123\n",
    ],
)
def test_a_number_is_found_however_it_is_typed(typed):
    assert read_number(typed) == "GJ-2026-000123"


@pytest.mark.parametrize(
    "typed",
    [
        *("", "GJ", "GJ-2026", "123", "20261", "毛毯", "PK-2026-000123", "13800138000", "2026 毛毯"),
        *("gj 2026 123 毛毯", "GJ-1926-1", "GJ-2026-" + "1" * 13, "x" * 61, "GJ-2026--\x00123", "٢٠٢٦-١"),
    ],
)
def test_words_are_no_number(typed):
    assert read_number(typed) is None


@given(st.integers(1, 10**12 - 1), st.integers(2000, 2999))
def test_what_is_read_out_is_what_was_written(serial, year):
    number = case_number(AT.replace(year=year), serial)
    assert read_number(number) == number
    assert read_number(number.replace("-", "")) == number
    assert numbers_in(f"回复：[{number}] 毛毯") == [number]


@given(st.text(max_size=80) | st.text("GgJj-2026 ０一OI年号#1", max_size=30))
def test_no_text_chokes_the_reader(text):
    for number in (read_number(text), *numbers_in(text)):
        assert number is None or re.fullmatch(r"GJ-2\d{3}-\d{6,12}", number)


def test_the_numbers_in_a_text_need_their_prefix_and_come_once():
    text = "Re: [GJ-2026-000123] 与 gj 2026 77、GJ-2026-000123 有关，订单 2026-555，XGJ-2026-1，GJ-2026-12X"
    assert numbers_in(text) == ["GJ-2026-000123", "GJ-2026-000077"]
