"""Names are somebody else's words."""

import pytest

from guanjia.core.files import clean_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("合同 (最终版).pdf", "合同 (最终版).pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\a.png", "a.png"),
        ("gpj.\u202excod.exe", "gpj.xcod.exe"),
        ("a\r\nX: y.html", "aX_ y.html"),
        ("a<b>|c?.txt", "a_b__c_.txt"),
        (" .hidden. ", "hidden"),
        ("con.txt", "_con.txt"),
        ("LPT1", "_LPT1"),
        ("..", "file"),
        ("", "file"),
        ("长" * 200 + ".pdf", "长" * 116 + ".pdf"),
        ("长" * 200, "长" * 120),
        ("a." + "b" * 200, "a." + "b" * 118),
    ],
)
def test_a_name_is_safe_to_show_and_to_save_under(given, kept):
    assert clean_name(given) == kept
