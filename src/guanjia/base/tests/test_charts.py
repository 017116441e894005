"""Plots: true lengths, escaped words, unique ids, and a table that says the same."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

from guanjia.base.charts import Part, Point, Row, bars, short, trend

PARTS = (Part("Overdue", "bad"), Part("In time", "brand"))
DAY = date(2026, 11, 1)


def widths(chart):
    return re.findall(r'<rect class="(\w+)" x="([\d.]+)%" y="\d+" width="([\d.]+)%"', chart.svg)


def test_bars_are_as_long_as_their_share_of_the_longest():
    rows = [Row("A", (1, 3), "4"), Row("B", (0, 2), "2"), Row("C", (0, 0), "0")]
    chart = bars("k", "Load", first="Who", parts=PARTS, rows=rows)
    assert widths(chart) == [
        ("bad", "0.00", "25.00"),
        ("brand", "25.00", "75.00"),
        ("brand", "0.00", "50.00"),
    ]
    assert chart.head == ("Who", "Overdue", "In time")
    assert chart.rows == (("A", "1", "3"), ("B", "0", "2"), ("C", "0", "0"))


def test_what_people_wrote_is_escaped_and_nothing_is_inline():
    chart = bars("k", "<b>&", first="x", parts=PARTS, rows=[Row("<script>", (1, 0), '"1"')])
    assert "<script>" not in chart.svg
    assert "style=" not in chart.svg
    ElementTree.fromstring(chart.svg)  # well-formed


def test_a_picture_is_named_and_described_by_its_own_ids():
    for key in ("one", "two"):
        chart = bars(key, "Load", first="Who", parts=PARTS, rows=[Row("A", (1, 0), "1 late")])
        root = ElementTree.fromstring(chart.svg)
        assert root.get("aria-labelledby") == f"{key}-title {key}-desc"
        assert [child.text for child in root if child.get("id")] == ["Load", "A: 1 late"]


def test_a_trend_has_gaps_where_nothing_is_known():
    shares = (1.0, 0.5, None, 0.25)
    points = [Point(DAY + timedelta(days=n), share) for n, share in enumerate(shares)]
    chart = trend("k", "Kept", first="Day", part=Part("Kept", "brand"), points=points)
    assert 'd="M0 0.0h0.01L1 50.0M3 75.0h0.01"' in chart.svg
    assert chart.rows == (("2026-11-04", "25%"), ("2026-11-02", "50%"), ("2026-11-01", "100%"))
    assert "11-01 100% → 11-04 25%" in chart.svg
    ElementTree.fromstring(chart.svg)


def test_a_trend_of_nothing_is_an_empty_picture():
    for points in ([], [Point(DAY, None)]):
        chart = trend("k", "Kept", first="Day", part=PARTS[1], points=points)
        assert chart.rows == ()
        ElementTree.fromstring(chart.svg)


def test_long_labels_end_in_an_ellipsis():
    assert short("云栖女装") == "云栖女装"
    assert short("云栖女装", most=5) == "云栖…"
    assert short("Display slots", most=9) == "Display s…"
