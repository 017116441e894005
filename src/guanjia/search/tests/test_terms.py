from hypothesis import given
from hypothesis import strategies as st

from guanjia.search.terms import Needle, as_vector, entry_terms, fold, needles_in, words_of


def test_chinese_is_kept_as_characters_and_pairs():
    assert words_of("要展位") == {"要", "展", "位", "要展", "展位"}


def test_chinese_and_other_words_do_not_run_into_each_other():
    assert words_of("618大促VIP") == {"618", "大", "促", "大促", "vip"}


def test_full_width_and_case_make_no_difference():
    assert words_of("ＡＢＣ") == words_of("abc") == {"abc"}
    assert fold("Ｇ") == "g"


def test_what_is_written_in_groups_is_kept_joined_too():
    assert {"138", "0013", "8000", "13800138000"} == words_of("138-0013-8000")
    assert "13800138000" in words_of("电话 138 0013 8000")
    assert {"invoice", "2026", "pdf", "invoice2026pdf"} == words_of("invoice_2026.pdf")
    assert "gj2026000123" in words_of("GJ-2026-000123")


def test_words_are_kept_with_their_beginnings():
    assert entry_terms(["refund"]) == ["wrefund", "pre", "pref", "prefu", "prefun", "prefund"]


def test_notes_are_marked_and_what_is_public_is_not_marked_again():
    assert entry_terms(["退款"], ["退款 压价"]) == ["w款", "w退", "w退款", "W价", "W压", "W压价"]


def test_a_long_run_is_sought_by_its_pairs_and_looked_at_again():
    [needle] = needles_in("首页展位")
    assert needle == Needle("首页展位")
    assert needle.loose
    assert needle.query(notes=False) == "('w首页')&('w页展')&('w展位')"
    assert needle.query(notes=True) == "('w首页'|'W首页')&('w页展'|'W页展')&('w展位'|'W展位')"


def test_a_word_of_two_is_certain():
    [needle] = needles_in("退款")
    assert not needle.loose


def test_the_last_word_may_be_a_beginning():
    first, last = needles_in("brand refu")
    assert (first.begun, last.begun) == (False, True)
    assert last.query(notes=False) == "('prefu')"
    assert not needles_in("brand refu 款")[1].begun


def test_a_long_beginning_is_looked_at_again():
    [needle] = needles_in("international")
    assert needle.query(notes=False) == "('pinternat')"
    assert needle.loose
    assert needle.within("an internationally known shop")


def test_digits_are_a_serial_number_too():
    assert Needle("000123").query(notes=False) == "(('w000123')|'n123')"


def test_a_reference_may_be_typed_in_part():
    [needle] = needles_in("M-10")
    assert needle.query(notes=False) == "('pm10')"


@given(st.text(max_size=200))
def test_any_text_makes_terms_that_need_no_escaping(text):
    vector = as_vector(entry_terms([text], [text[::-1]]))
    assert vector.count("'") % 2 == 0
    assert "\\" not in vector
    assert all(needle.text for needle in needles_in(text))


@given(st.text(alphabet="退款展位首页ab1 -", max_size=30))
def test_what_is_said_is_found_by_itself(text):
    kept = set(entry_terms([text]))
    for needle in needles_in(text):
        if "-" in text:
            continue  # what is written in groups is joined
        keys = [part.strip("()'") for part in needle.query(notes=False).partition("|'n")[0].split("&")]
        assert all(key.strip("()'") in kept for key in keys)
