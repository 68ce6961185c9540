"""Charts: well-formed, self-contained, described, and true to their numbers."""

import math
import re
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.render.charts import (
    NARROW,
    WIDE,
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
from ml_gitops.render.charts.axes import (
    Scale,
    date_ticks,
    edge_label,
    nice_ticks,
    pack,
    tick_labels,
)
from ml_gitops.render.charts.binning import categories, histogram
from ml_gitops.render.charts.drawing import measure, shorten, style, wrap
from ml_gitops.render.charts.intervals import side_of_limit

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


LONG = "a column whose name goes on and on and on for longer than any picture is wide, really"
DRAWN = {
    "intervals": partial(
        intervals,
        [Interval(NASTY, 0.01, -0.02, 0.03, -0.005), Interval("b", -1, -2, -0.5)],
        title=NASTY,
    ),
    "timeline": partial(
        timeline,
        [line_of(NASTY, [0.7, 0.8, None, 0.6]), line_of("b", [0.1, 0.2])],
        title=NASTY,
        thresholds=[Threshold(0.5, NASTY), Threshold(0.6, "promised", is_limit=False)],
        events=[Event(WEEKS[1], NASTY), Event(WEEKS[1], "retraining")],
        unit="%",
    ),
    "distribution": partial(distribution, panel(NASTY, labels=[NASTY, "b", "c"])),
    "small multiples": partial(small_multiples, [panel(NASTY), panel("b")], title=NASTY),
    "calibration": partial(
        calibration, [Bin(0.1, 0.2, 50), Bin(0.9, 0.7, 5), Bin(0.5, 0, 0)], title=NASTY
    ),
    "bars": partial(bars, [Bar(NASTY, 0.5), Bar("b", -0.1)], title=NASTY),
    "nothing on a timeline": partial(timeline, [], title=NASTY),
    "no intervals": partial(intervals, [], title=NASTY),
    "no bars": partial(bars, [], title=NASTY),
    "no bins": partial(calibration, [], title=NASTY),
    "no panels": partial(small_multiples, [], title=NASTY),
    "an empty window": partial(
        distribution, Distribution(NASTY, [0, 0], [0, 0], labels=["a", "b"])
    ),
    "a feature without bins": partial(distribution, Distribution(NASTY, [], [], edges=[])),
    "a feature of one value": partial(
        distribution,
        Distribution(NASTY, [0, 9, 0], [1, 9, 2], edges=[-math.inf, 3 - 1e-15, 3, math.inf]),
    ),
    "long names": partial(
        small_multiples,
        [panel(LONG), panel(LONG, labels=[LONG, "b", "c"]), panel("b", labels=["1", "2", "3"])],
        title=LONG,
    ),
    "long names of intervals": partial(
        intervals, [Interval(LONG, -12345.678, -22345.678, 1.5, -3)], title=LONG
    ),
    "long names of bars": partial(bars, [Bar(LONG, 123456.789), Bar("b", -0.1)], title=LONG),
    "long names over days": partial(
        timeline,
        [line_of(LONG, [0.7, 0.8]), line_of("b", [1e6, 2e6])],
        title=LONG,
        thresholds=[Threshold(0.5, LONG)],
        events=[Event(WEEKS[1], LONG), Event(WEEKS[0], "release"), Event(DAY, "b")],
    ),
}
CHARTS = {name: draw() for name, draw in DRAWN.items()}


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
    assert root[0].text in (
        '</text><script>alert(1)</script> & "quoted" [31m \N{REPLACEMENT CHARACTER}',
        LONG,
    )
    assert root[1].tag == f"{SVG}desc"


def extents(chart: str) -> list[tuple[float, float, float, str]]:
    """Return every upright text of a chart: its height, where it starts and ends, what it says."""
    rotated = {
        text
        for group in ET.fromstring(chart).iter(f"{SVG}g")  # noqa: S314 - our own output
        if group.get("transform")
        for text in (ET.tostring(one) for one in group.iter(f"{SVG}text"))
    }
    found = []
    for text in texts(chart):
        if ET.tostring(text) in rotated:
            continue
        css, x = text.get("class", ""), float(text.get("x", 0))
        bold = "heading" in css or "label" in css
        # Letters are drawn a little narrower than they are measured.
        width = measure(text.text or "", bold=bold) * (0.85 if "quiet" in css else 0.93)
        start = x - width if "end" in css else x - width / 2 if "middle" in css else x
        found.append((float(text.get("y", 0)), start, start + width, text.text or ""))
    return found


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", DRAWN)
def test_no_text_leaves_its_picture(name: str, width: float) -> None:
    """In a column and on a phone, every word stands inside, cut with an ellipsis at worst."""
    chart = DRAWN[name](width=width)

    wide = float(ET.fromstring(chart).get("viewBox", "").split()[2])  # noqa: S314 - our own
    assert wide <= width
    outside = [one for one in extents(chart) if one[1] < 0 or one[2] > wide]
    assert outside == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", DRAWN)
def test_no_two_texts_collide(name: str, width: float) -> None:
    """Two words of one line of a picture never stand on each other."""
    lines = sorted(extents(DRAWN[name](width=width)))

    for (y, _, end, one), (next_y, start, _, other) in pairwise(lines):
        assert next_y > y or start >= end, f"{one!r} and {other!r}"


def test_a_title_loses_no_word_on_a_phone() -> None:
    """A title that does not fit one line goes on in the next."""
    lines = wrap("log loss: change by slice; right of zero is better", 200, bold=True)

    assert len(lines) == 2
    assert " ".join(lines) == "log loss: change by slice; right of zero is better"
    assert all(measure(line, bold=True) <= 200 for line in lines)


def test_intervals_keep_label_and_numbers_on_a_phone() -> None:
    """Where there is no room beside them, whiskers stand below; nothing is cut."""
    rows = [Interval("balanced accuracy", 0.0967, 0.0597, 0.1337, -0.02)]

    shown = {text.text for text in texts(intervals(rows, title="t", width=NARROW))}

    assert {"balanced accuracy", "+0.097 [+0.060, +0.134]"} <= shown


def test_intervals_say_where_they_lie() -> None:
    """A row is allowed, outside, or cannot tell, on either side that the gate accepts."""
    assert side_of_limit(Interval("", 1, 0, 2, -0.5)) == "allowed"
    assert side_of_limit(Interval("", -1, -2, -0.6, -0.5)) == "outside"
    assert side_of_limit(Interval("", 0, -1, 1, -0.5)) == "cannot tell"
    assert side_of_limit(Interval("", 1, 0.6, 2, 0.5), "below") == "outside"
    assert side_of_limit(Interval("", 0, -1, 0.4, 0.5), "below") == "allowed"
    assert side_of_limit(Interval("", 0, -1, 1)) == ""


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


def test_what_is_promised_and_what_is_allowed_differ_by_dash_and_name() -> None:
    """A limit is dashed, another level is not; both are named beside a sample of their line."""
    levels = [Threshold(0.6, "allowed"), Threshold(0.5, "promised", is_limit=False)]

    chart = timeline([line_of("", [0.5, 0.5])], title="t", thresholds=levels)

    assert re.search(r"\.chart \.limit {[^}]*stroke-dasharray", style())
    assert not re.search(r"\.chart \.level {[^}]*stroke-dasharray", style())
    drawn = re.findall(r'<line [^>]*class="(limit|level)"/>', chart)
    assert sorted(drawn) == ["level", "level", "limit", "limit"]
    assert {"allowed", "promised"} <= {text.text for text in texts(chart)}


def test_a_level_of_some_days_ends_with_them() -> None:
    """Every release is held to its own promise; equal names share one entry of the legend."""
    levels = [
        Threshold(0.5, "promised", False, WEEKS[0], WEEKS[4]),
        Threshold(0.6, "promised", False, WEEKS[4], WEEKS[11]),
    ]

    chart = timeline([line_of("", [0.5] * 12)], title="t", thresholds=levels)

    drawn = re.findall(r'<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)"[^>]*class="level"', chart)
    (_, _, sample), first, second = sorted(drawn, key=lambda one: float(one[0]))
    assert first[2] == second[0]
    assert first[1] != second[1]
    assert float(sample) < 60
    assert [text.text for text in texts(chart)].count("promised") == 1


def test_a_bad_window_has_a_ring_and_a_name() -> None:
    """What the monitor judged bad is seen without colour, and said to who does not see it."""
    points = [Point(WEEKS[0], 0.5), Point(WEEKS[1], 0.7, 0.6, 0.8, bad=True)]

    chart = timeline([Series("log loss", points)], title="t", bad="bad window")

    assert chart.count('class="ring"') == 2  # the point and the legend
    assert "bad window on 2013-04-08" in chart
    assert 'class="ring"' not in timeline([line_of("", [0.5, 0.7])], title="t")


def test_intervals_of_many_days_share_a_ribbon() -> None:
    """Whiskers that stand apart are drawn each; where they would touch, one ribbon is."""
    few, many = 12, 120
    days = [Point(DAY + timedelta(days=day), 0.5, 0.4, 0.6) for day in range(many)]

    apart = timeline([line_of("", [0.5] * few)], title="t")
    crowded = timeline([Series("", days)], title="t")

    assert (apart.count('class="reach"'), apart.count('class="ribbon"')) == (3 * few, 0)
    assert (crowded.count('class="reach"'), crowded.count('class="ribbon"')) == (0, 1)


def test_lines_are_told_apart_without_colour() -> None:
    """Four lines have four dashes and four marks, and their names in the legend."""
    chart = timeline([line_of(name, [0.1, 0.2]) for name in "abcd"], title="t")

    lines = re.findall(r'<path [^>]*class="line"[^>]*>', chart)
    assert len({re.sub(r'.*class="line"', "", line) for line in lines}) == 4
    assert {chart.count(f"<{mark}") for mark in ("circle", "polygon")} == {3, 9}
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


COUNTED = st.lists(
    st.tuples(st.floats(1e-3, 1e3), st.integers(0, 500), st.integers(0, 500)),
    min_size=2,
    max_size=50,
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(bins=COUNTED, start=st.floats(-1e3, 1e3), outside=st.tuples(*[st.integers(0, 99)] * 4))
def test_a_histogram_keeps_every_share_and_true_widths(
    bins: list[tuple[float, int, int]], start: float, outside: tuple[int, int, int, int]
) -> None:
    """Blocks join without a gap, none is too thin to be seen, and no row is lost or moved."""
    edges = [-math.inf, start]
    for width, _, _ in bins:
        edges.append(edges[-1] + width)
    before = [outside[0], *(one[1] for one in bins), outside[1]]
    now = [outside[2], *(one[2] for one in bins), outside[3]]

    drawn = histogram([*edges, math.inf], before, now, finest=30)

    assert drawn is not None
    low, high = drawn.span
    for one, other in pairwise(drawn.blocks):
        assert one.high == other.low
    assert len(drawn.blocks) <= 30
    thinnest = min(one.high - one.low for one in drawn.blocks)
    assert thinnest >= (high - low) / 30 * (1 - 1e-6)
    everything = [*drawn.blocks, *(one for one in (drawn.below, drawn.above) if one)]
    for side, counts in (("reference", before), ("current", now)):
        total = sum(getattr(one, side) for one in everything)
        assert total == pytest.approx(1 if sum(counts) else 0)
    for one in drawn.blocks:
        inside = sum(
            n
            for n, low, high in zip(now, edges, edges[1:], strict=False)
            if one.low <= low and high <= one.high
        )
        assert one.current == pytest.approx(inside / (sum(now) or 1))


def test_a_tail_without_an_end_does_not_flatten_the_rest() -> None:
    """A last bin wider than all others together stands apart, as having no end."""
    drawn = histogram([0, 1, 2, 3, 4, 1000], [24, 24, 24, 24, 4], [1, 1, 1, 1, 1], finest=30)

    assert drawn is not None
    assert drawn.span == (0, 4)
    assert drawn.above is not None
    assert (drawn.above.low, drawn.above.high) == (4, math.inf)
    assert drawn.above.reference == pytest.approx(0.04)


def test_area_is_the_share_of_rows() -> None:
    """Quantile bins hold equal shares, so a bin four times as wide is a quarter as high."""
    drawn = distribution(Distribution("x", [10, 10], [5, 15], edges=[0, 1, 5]))

    boxes = re.findall(r'<rect [^>]*width="([\d.]+)" height="([\d.]+)" class="reference">', drawn)
    (thin, high), (wide, low) = ((float(w), float(h)) for w, h in boxes)
    assert wide / thin == pytest.approx(4, rel=0.01)
    assert high / low == pytest.approx(4, rel=0.01)


def test_values_outside_the_training_data_stand_apart() -> None:
    """What never occurred in the reference has a box of its own, with the edge it lies beyond."""
    chart = distribution(
        Distribution("x", [0, 9, 9, 0], [3, 9, 9, 0], edges=[-math.inf, 0, 1, 2, math.inf])
    )

    shown = [text.text for text in texts(chart)]
    assert "< 0" in shown
    assert "> 2" not in shown
    assert "up to 0: 0.0% in the reference, 14.3% now" in chart


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    widths=st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=49),
    start=st.floats(-1e6, 1e6),
    columns=st.integers(1, 6),
)
def test_ticks_of_small_panels_never_collide(
    widths: list[float], start: float, columns: int
) -> None:
    """Whatever the edges, labels of one axis and of neighbouring panels keep their distance."""
    edges = [-math.inf, start]
    for width in widths:
        edges.append(edges[-1] + width)
    bins = [5] * (len(widths) + 2)
    panels = [Distribution("x", bins, bins, edges=[*edges, math.inf])] * columns

    for width in (WIDE, NARROW):
        lines = sorted(extents(small_multiples(panels, title="t", width=width)))
        for (y, _, end, one), (next_y, begin, _, other) in pairwise(lines):
            assert next_y > y or begin >= end, f"{one!r} and {other!r}"


def test_many_categories_keep_those_that_matter() -> None:
    """The most frequent on either side stay, in their order; the rest is counted as one."""
    kept = categories(["a", "b", "c", "d", "new"], [50, 30, 10, 10, 0], [50, 0, 5, 5, 40], most=4)

    assert [one.name for one in kept] == ["a", "b", "new", "2 others"]
    assert kept[-1].reference == pytest.approx(0.2)
    assert kept[-1].current == pytest.approx(0.1)


def test_the_rest_of_the_categories_sets_no_scale() -> None:
    """Ninety rare categories are a number, not a bar that makes the others invisible."""
    names = [f"airport {place}" for place in range(99)]
    chart = distribution(Distribution("dest", [5] * 99, [5] * 99, labels=names))

    rest = [text for text in texts(chart) if (text.text or "").endswith(" others")]
    boxes = re.findall(r'<rect [^>]*width="([\d.]+)" height="13" class="reference">', chart)
    assert len(rest) == 1
    assert min(map(float, boxes)) > 300


@pytest.mark.parametrize(
    ("edge", "label"),
    [
        (299.99999999999994, "300"),
        (25.317159999999998, "25.32"),
        (-5e-324, "0"),
        (-0.25, "−0.25"),
        (4983.0, "4,983"),
        (1.18e-18, "1.2×10⁻¹⁸"),
        (-2e9, "−2×10⁹"),
    ],
)
def test_edges_read_well(edge: float, label: str) -> None:
    """An edge just beside a round number is that number; no label is raw."""
    assert edge_label(edge) == label


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


def test_a_bar_of_nothing_is_not_told_to_its_last_digit() -> None:
    """Noise of 1e-18 beside real values reads as about zero, with a true minus elsewhere."""
    shown = [text.text for text in texts(bars([Bar("a", 0.2), Bar("b", 1.18e-18)], title="t"))]
    below = [text.text for text in texts(bars([Bar("a", -0.2)], title="t"))]

    assert "≈0.000" in shown
    assert "−0.200" in below


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
