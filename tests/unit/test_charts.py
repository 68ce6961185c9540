"""Charts: well-formed, self-contained, described, and true to their numbers."""

import math
import re
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.render.charts import (
    Band,
    Bar,
    Bin,
    Distribution,
    Event,
    Interval,
    Point,
    Series,
    Threshold,
    bars,
    calibration,
    distribution,
    intervals,
    small_multiples,
    sparkline,
    timeline,
)
from ml_gitops.render.charts.axes import Scale, date_ticks, nice_ticks, pack, spread, tick_labels
from ml_gitops.render.charts.drawing import measure, shorten, style
from ml_gitops.render.charts.intervals import standing

SVG = "{http://www.w3.org/2000/svg}"
NASTY = '</text><script>alert(1)</script> & "quoted" \x1b[31m \ud800'
DAY = date(2013, 4, 1)
WEEKS = [DAY + timedelta(days=7 * week) for week in range(12)]


def line_of(name: str, values: list[float | None]) -> Series:
    """Return weekly values as a series with an interval of a hundredth on both sides."""
    return Series(
        name,
        [
            Point(day, value, *(() if value is None else (value - 0.01, value + 0.01)))
            for day, value in zip(WEEKS, values, strict=False)
        ],
    )


def panel(title: str = "temp", **bins: object) -> Distribution:
    """Return counts over three bins."""
    given_bins = bins or {"edges": [-math.inf, 0, 10, math.inf]}
    return Distribution(title, [10, 20, 10], [0, 20, 60], note="PSI 0.9", **given_bins)


CHARTS = {
    "intervals": intervals(
        [Interval(NASTY, 0.01, -0.02, 0.03, -0.005), Interval("b", -1, -2, -0.5)], title=NASTY
    ),
    "timeline": timeline(
        [line_of(NASTY, [0.7, 0.8, None, 0.6]), line_of("b", [0.1, 0.2])],
        title=NASTY,
        thresholds=[Threshold(0.5, NASTY)],
        bands=[Band(DAY, WEEKS[3], NASTY)],
        events=[Event(WEEKS[1], NASTY), Event(WEEKS[1], "retraining")],
        unit="%",
    ),
    "distribution": distribution(panel(NASTY, labels=[NASTY, "b", "c"])),
    "small multiples": small_multiples([panel(NASTY), panel("b")], title=NASTY),
    "calibration": calibration([Bin(0.1, 0.2, 50), Bin(0.9, 0.7, 5), Bin(0.5, 0, 0)], title=NASTY),
    "bars": bars([Bar(NASTY, 0.5), Bar("b", -0.1)], title=NASTY),
    "nothing on a timeline": timeline([], title=NASTY),
    "no intervals": intervals([], title=NASTY),
    "no bars": bars([], title=NASTY),
    "no bins": calibration([], title=NASTY),
    "no panels": small_multiples([], title=NASTY),
    "an empty window": distribution(Distribution(NASTY, [0, 0], [0, 0], labels=["a", "b"])),
    "a feature without bins": distribution(Distribution(NASTY, [], [], edges=[])),
}


def texts(chart: str) -> list[ET.Element]:
    """Return the text elements of a chart."""
    return list(ET.fromstring(chart).iter(f"{SVG}text"))  # noqa: S314 - our own output


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_stands_alone(name: str) -> None:
    """A chart is XML with its own style, that runs and loads nothing and scales to its place."""
    chart = CHARTS[name]

    root = ET.fromstring(chart)  # noqa: S314 - our own output

    assert root.get("width") == "100%"
    assert root.get("viewBox", "").startswith("0 0 ")
    assert root.find(f"{SVG}style") is not None
    assert not [element for element in root.iter() if element.tag.endswith(("script", "image"))]
    assert not re.search(r"url\(|href|@import|\bon\w+=", chart)
    assert "nan" not in re.sub(r"<(title|desc|text)\b.*?</\1>", "", chart)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_says_what_it_shows(name: str) -> None:
    """A chart is one image to a screen reader, with a name first and a description."""
    root = ET.fromstring(CHARTS[name])  # noqa: S314 - our own output

    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert (
        root[0].text == '</text><script>alert(1)</script> & "quoted" [31m \N{REPLACEMENT CHARACTER}'
    )
    assert root[1].tag == f"{SVG}desc"


def test_intervals_say_where_they_lie() -> None:
    """A row is allowed, outside, or cannot tell, on either side that the gate accepts."""
    assert standing(Interval("", 1, 0, 2, -0.5)) == "allowed"
    assert standing(Interval("", -1, -2, -0.6, -0.5)) == "outside"
    assert standing(Interval("", 0, -1, 1, -0.5)) == "cannot tell"
    assert standing(Interval("", 1, 0.6, 2, 0.5), "below") == "outside"
    assert standing(Interval("", 0, -1, 0.4, 0.5), "below") == "allowed"
    assert standing(Interval("", 0, -1, 1)) == ""


def test_intervals_differ_by_shape_and_words() -> None:
    """What the gate thinks of a row can be read without colour."""
    rows = [
        Interval("a", 1.0, 0.5, 2.0, 0),
        Interval("b", 0.0, -1.0, 1.0, 0),
        Interval("c", -2.0, -3.0, -1.0, 0),
    ]

    chart = intervals(rows, title="t")

    description = ET.fromstring(chart)[1].text or ""  # noqa: S314 - our own output
    assert description == (
        "a: +1.000 [+0.500, +2.000], allowed; b: 0.000 [-1.000, +1.000], cannot tell; "
        "c: -2.000 [-3.000, -1.000], outside"
    ).replace("-", "−").replace(" 0.000", " ±0.000")
    assert chart.count("<circle") == 2  # the row and the legend
    assert chart.count("<polygon") == 4


def test_a_missing_value_is_a_gap_in_the_line() -> None:
    """A week without labels breaks the line; it is not drawn as a straight one."""
    whole = timeline([line_of("", [0.7, 0.7, 0.7, 0.7])], title="t")
    broken = timeline([line_of("", [0.7, 0.7, None, 0.7])], title="t")

    assert whole.count('class="line"') == 1
    assert broken.count('class="line"') == 2


def test_lines_are_told_apart_without_colour() -> None:
    """Four lines have four dashes and four marks, and their names at their ends."""
    chart = timeline([line_of(name, [0.1, 0.2]) for name in "abcd"], title="t")

    lines = re.findall(r'<path [^>]*class="line"[^>]*>', chart)
    assert len({re.sub(r'.*class="line"', "", line) for line in lines}) == 4
    assert [text.text for text in texts(chart) if text.get("class") == "label"] == list("abcd")


@settings(max_examples=60, derandomize=True, deadline=None)
@given(days=st.lists(st.integers(0, 83), min_size=1, max_size=9))
def test_labels_of_events_never_overlap(days: list[int]) -> None:
    """However close events lie, their labels are apart, in lanes or side by side."""
    events = [Event(DAY + timedelta(days=day), f"release delay@v1.{day}.0") for day in days]

    chart = timeline([line_of("", [0.1] * 12)], title="t", events=events)

    boxes = []
    for text in texts(chart):
        if "release" in (text.text or ""):
            x, y, width = (
                float(text.get("x", 0)),
                float(text.get("y", 0)),
                measure(text.text) * 0.92,
            )
            left = x - width if "end" in text.get("class", "") else x
            boxes.append((y, left, left + width))
    boxes.sort()
    assert len(boxes) == len(days)
    for (y, _, end), (next_y, start, _) in pairwise(boxes):
        assert next_y - y >= 12 or end <= start
    assert min(left for _, left, _ in boxes) >= 0
    assert max(end for _, _, end in boxes) <= 640


def test_a_distribution_says_what_moved_most() -> None:
    """The description names the rows on both sides and the bin whose share changed most."""
    chart = distribution(panel(labels=["EWR", "JFK", "LGA"]))

    assert (
        "<desc>PSI 0.9; 40 rows in the reference, 80 now; moved most: LGA, from 25.0% to " in chart
    )


def test_reference_and_current_window_differ_in_form() -> None:
    """The reference is filled, the current window an outline."""
    css = style()

    assert ".chart .reference { fill:" in css
    assert ".chart .current { fill: none; stroke:" in css


def test_a_bar_below_zero_runs_to_the_left() -> None:
    """Zero is where the axis stands, also when a value is below it."""
    chart = bars([Bar("a", 1.0), Bar("b", -0.5)], title="t")

    above, below = (
        [float(x) for x in found]
        for found in re.findall(
            r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"[^>]*class="bar"', chart
        )
    )
    assert above[0] == pytest.approx(sum(below), abs=0.2)
    assert above[1] == pytest.approx(2 * below[1], abs=0.2)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([1, None, math.nan, 8], "▁··█"),
        ([5, 5], "▄▄"),
        ([], ""),
        ([math.inf, 1, 2], "·▁█"),
    ],
    ids=["rising", "missing", "constant", "empty", "infinite"],
)
def test_a_sparkline_fits_a_cell(values: list[float | None], expected: str) -> None:
    """One block a value, from the lowest to the highest; what is missing is a dot."""
    assert sparkline(values) == expected


@settings(max_examples=300, derandomize=True, deadline=None)
@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-6, 1e6), about=st.integers(2, 8))
def test_nice_ticks_span_their_range(low: float, span: float, about: int) -> None:
    """Ticks cover the range, rise evenly, and are about as many as wanted."""
    ticks = nice_ticks(low, low + span, about)

    steps = [b - a for a, b in pairwise(ticks)]
    assert ticks[0] <= low + span * 1e-6
    assert ticks[-1] >= (low + span) - span * 1e-6
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)
    assert 2 <= len(ticks) <= about + 3
    labels = tick_labels(ticks)
    assert len(set(labels)) == len(labels)


def test_ticks_read_well() -> None:
    """Labels have the decimals they need, signs and units where asked for."""
    assert tick_labels(nice_ticks(0, 1, 4)) == ["0.00", "0.25", "0.50", "0.75", "1.00"]
    assert tick_labels([-0.1, 0, 0.1], signs=True) == ["−0.1", "0.0", "+0.1"]
    assert tick_labels([0, 0.5], "%") == ["0%", "50%"]
    assert tick_labels([0, 2000], "ms") == ["0 ms", "2,000 ms"]


@pytest.mark.parametrize("span", [1, 5, 13, 40, 100, 250, 600, 2000, 9000])
def test_days_have_few_and_true_labels(span: int) -> None:
    """From days to decades, a date axis has a handful of labels inside its range."""
    last = DAY + timedelta(days=span)

    ticks = date_ticks(DAY, last)

    assert 1 <= len(ticks) <= 9
    assert all(DAY <= day <= last for day, _ in ticks)
    assert len({label for _, label in ticks}) == len(ticks) or span > 360


@settings(max_examples=200, derandomize=True, deadline=None)
@given(wanted=st.lists(st.floats(0, 100), max_size=6))
def test_spread_labels_keep_their_distance(wanted: list[float]) -> None:
    """Labels that want the same place are moved apart and stay inside, if they fit."""
    places = sorted(spread(wanted, 15, 0, 100))

    assert all(b - a >= 15 - 1e-9 for a, b in pairwise(places))
    assert all(-1e-9 <= place <= 100 + 1e-9 for place in places)


def test_packed_spans_share_a_lane_only_apart() -> None:
    """The first lane is filled first, whatever the order the spans are given in."""
    assert pack([(20, 30), (0, 10), (5, 15)], gap=5) == [0, 0, 1]


def test_a_scale_is_linear() -> None:
    """Values map to positions, also onto an axis that points upwards."""
    assert Scale(0, 10, 100, 0)(2.5) == 75


def test_text_is_cut_to_its_room() -> None:
    """What does not fit ends in an ellipsis, within its room."""
    cut = shorten("a very long name of a column", 80)

    assert cut.endswith("…")
    assert measure(cut[:-1]) + 8 <= 80
    assert shorten("short", 80) == "short"
