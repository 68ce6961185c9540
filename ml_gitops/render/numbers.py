"""Numbers as people read them: a true minus sign, thousands apart, a unit, and of how many."""

import math

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
"""What stands where there is no number."""


def number(value: float | None, *, digits: int = 3, unit: str = "") -> str:
    """Return a number in fixed notation; whole numbers keep no decimals.

    Args:
        value: the number; None and NaN become a dash.
        digits: decimals of a float; one that would round to nothing keeps its leading digits.
        unit: appended after a space, except `%`.
    """
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return _with_unit("∞" if value > 0 else f"{MINUS}∞", unit)
    if isinstance(value, int):
        text = f"{value:,d}"
    elif value and not 0.5 * 10**-digits <= abs(value) < 1e15:
        text = f"{value:.{max(digits - 1, 1)}g}"
    else:
        text = f"{value:,.{digits}f}"
    if value == 0:
        text = text.removeprefix("-")
    return _with_unit(text.replace("-", MINUS), unit)


def measured(value: float, *, digits: int = 4) -> str:
    """Return a measured number with equally many decimals, and none where there is nothing.

    Args:
        value: what the arithmetic leaves of an exact zero counts as one.
        digits: decimals; what is smaller than they can show is said to be.
    """
    if abs(value) < 1e-12:
        return "0"
    if abs(value) < 0.5 * 10**-digits:
        return f"<{10**-digits:.{digits}f}" if value > 0 else f">{MINUS}{10**-digits:.{digits}f}"
    return number(value, digits=digits)


def signed(value: float | None, *, digits: int = 3, unit: str = "") -> str:
    """Return a difference with its sign, and none at all as `±0`."""
    if value is None or math.isnan(value):
        return NOTHING
    text = number(value, digits=digits)
    if value == 0:
        return _with_unit(f"±{text}", unit)
    return _with_unit(text if text.startswith(MINUS) else f"+{text}", unit)


def percent(share: float | None, *, digits: int = 1, n: int | None = None) -> str:
    """Return a share (0 to 1) as per cent, with the number of rows it was measured on."""
    if share is None or math.isnan(share):
        return NOTHING
    text = f"{share * 100:,.{digits}f}"
    if 0 < share < 1 and float(text) in (0, 100):
        # Rounding must not turn "hardly ever" into "never".
        step = 10**-digits
        text = f"<{step:.{digits}f}" if share < 0.5 else f">{100 - step:.{digits}f}"
    text = text.replace("-", MINUS) + "%"
    return text if n is None else f"{text} (n = {n:,d})"


def interval(low: float | None, high: float | None, *, digits: int = 3) -> str:
    """Return the two ends of an interval of a difference, each with its sign."""
    if low is None or high is None:
        return NOTHING
    return f"[{signed(low, digits=digits)}, {signed(high, digits=digits)}]"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """Return how many of something there are: `1 row`, `4,210 rows`."""
    return f"{n:,d} {noun if n == 1 else plural or noun + 's'}".replace("-", MINUS)


def duration(seconds: float | None) -> str:
    """Return a time that passed: `38 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def size(n_bytes: float | None) -> str:
    """Return a number of bytes in decimal units: `812 B`, `41.5 kB`, `3.2 MB`."""
    if n_bytes is None or not math.isfinite(n_bytes):
        return NOTHING
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 999.95 or (unit == "B" and n_bytes < 1000):
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:,.1f} TB"


def _with_unit(text: str, unit: str) -> str:
    return f"{text}{unit}" if unit in ("", "%") else f"{text} {unit}"
