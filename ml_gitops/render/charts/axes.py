"""Where things stand on a chart: scales, nice ticks, and labels kept apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ml_gitops.render.numbers import MINUS

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Scale:
    """A linear map from values to positions."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the position of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers (1, 2, 2.5 or 5 times a power of ten) that span a range.

    Args:
        low, high: the range; the first tick is at or below, the last at or above.
        about: how many steps are wanted.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("an axis needs finite ends")
    if high <= low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(index * step, digits) for index in range(first, last + 1)]


def tick_labels(ticks: Sequence[float], unit: str = "", *, signs: bool = False) -> list[str]:
    """Return labels of ticks with just the decimals that they need.

    Args:
        ticks: evenly spaced numbers.
        unit: appended to each; `%` shows shares (0 to 1) as per cent.
        signs: write a plus before what is above zero.
    """
    factor = 100 if unit == "%" else 1
    ending = unit if unit in ("", "%") else f" {unit}"
    if not 1e-5 <= max(map(abs, ticks), default=1) * factor < 1e9:
        powers = [edge_label(tick * factor) + ending for tick in ticks]
        if len(set(powers)) == len(ticks):
            return powers
    values = [round(tick * factor, 12) for tick in ticks]
    digits = max((len(f"{v:.10f}".rstrip("0").partition(".")[2]) for v in values), default=0)
    return [
        f"{v:{'+' if signs and v else ''},.{digits}f}".replace("-", MINUS) + ending for v in values
    ]


def edge_label(edge: float) -> str:
    """Return the edge of a bin as a short label; one just beside a round number is that number."""
    near = float(f"{edge:.6g}")
    if abs(near) < 1e-300:
        return "0"
    if not 1e-4 <= abs(near) < 1e7:
        digits, _, power = f"{near:.1e}".partition("e")
        raised = str(int(power)).translate(_RAISED)
        return f"{digits.removesuffix('.0').replace('-', MINUS)}×10{raised}"
    label = f"{near:,.{max(0, 3 - math.floor(math.log10(abs(near))))}f}"
    return (label.rstrip("0").rstrip(".") if "." in label else label).replace("-", MINUS)


def pack(spans: Sequence[tuple[float, float]], gap: float) -> list[int]:
    """Return a lane (0 is the first) for each span, so that no two in one lane are closer than gap.

    Args:
        spans: start and end of each.
        gap: the least room between two of one lane.
    """
    ends: list[float] = []
    lanes = [0] * len(spans)
    for index in sorted(range(len(spans)), key=lambda one: spans[one]):
        start, end = spans[index]
        lane = next((n for n, taken in enumerate(ends) if taken + gap <= start), len(ends))
        ends[lane : lane + 1] = [end]
        lanes[index] = lane
    return lanes


def date_ticks(first: date, last: date, about: int = 7) -> list[tuple[date, str]]:
    """Return days worth a label between two days: days, weeks, months, quarters or years.

    The first label and that of every January name the year.
    """
    span = max((last - first).days, 1)
    for step in (1, 2, 7, 14):
        if span / step <= about:
            days = [first + timedelta(days=n) for n in range(0, span + 1, step)]
            return day_labels([day for day in days if day <= last])
    months = next((m for m in (1, 2, 3, 6) if span / 30.4 / m <= about), 12)
    months *= max(1, math.ceil(span / 365.25 / about)) if months == 12 else 1
    ticks: list[tuple[date, str]] = []
    month = first.year * 12 + first.month - 1
    while (day := date(month // 12, month % 12 + 1, 1)) <= last:
        if day >= first and month % months == 0:
            ticks.append((day, f"{day:%b %Y}" if not ticks or day.month == 1 else f"{day:%b}"))
        month += 1
    return ticks or day_labels([first])


def day_labels(days: Sequence[date]) -> list[tuple[date, str]]:
    """Return days with their labels; the first and the first of a year name the year."""
    years = [None, *(day.year for day in days)]
    return [
        (day, f"{day.day} {day:%b}{f' {day.year}' if day.year != before else ''}")
        for day, before in zip(days, years, strict=False)
    ]
