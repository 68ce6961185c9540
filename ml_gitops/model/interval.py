"""How sure a number is: intervals, paired differences, and how many days would settle them.

Everything rests on one form: a metric is a value and one influence term per row, scaled so that
its standard error is `sqrt(sum of squares) / rows`. Terms of two models on the same rows subtract.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ml_gitops.document import Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Units = Literal["days", "rows"]

CONFIDENCE = 0.90
"""Two-sided; each end by itself is a one-sided 5% test, which is what a gate asks."""

POWER = 0.80
SMALL = 200
"""Below this many rows the normal quantile is too short, and Student's takes its place."""

_NORMAL = NormalDist()


def standard_error(influence: "NDArray[np.float64]") -> float:
    """Return the standard error of a metric from its influence terms, shape (n,)."""
    return math.sqrt(float(influence @ influence)) / len(influence)


def quantile(p: float, n: int) -> float:
    """Return the p-quantile of an estimate's error in standard errors.

    Args:
        p: probability, 0 to 1.
        n: rows; Student's t with n - 1 degrees below 200, by Wallace (1959), else the normal.
    """
    z = _NORMAL.inv_cdf(p)
    if n >= SMALL or n < 2:
        return z
    degrees = n - 1
    stretched = z * (8 * degrees + 3) / (8 * degrees + 1)
    return math.copysign(math.sqrt(degrees * math.expm1(stretched**2 / degrees)), z)


def probability_below(t: float, n: int) -> float:
    """Return the probability of an error below t standard errors; the inverse of `quantile`."""
    if n >= SMALL or n < 2:
        return _NORMAL.cdf(t)
    degrees = n - 1
    z = math.sqrt(degrees * math.log1p(t**2 / degrees)) * (8 * degrees + 1) / (8 * degrees + 3)
    return _NORMAL.cdf(math.copysign(z, t))


def exceeds(t: float, n: int, z: float) -> bool:
    """Say whether t standard errors of n units are as unlikely by chance as z of very many."""
    return probability_below(t, n) > _NORMAL.cdf(z)


class Spread(Part):
    """How far a number may be off by chance, and what says so.

    Attributes:
        standard_error: in the number's unit.
        n: rows it was measured on.
        days: how many days they come from, where days are independent; None where rows are.
    """

    standard_error: float = Field(ge=0)
    n: int = Field(ge=1)
    days: int | None = Field(default=None, ge=2)

    @property
    def unit(self) -> Units:
        """What is independent."""
        return "rows" if self.days is None else "days"

    @property
    def units(self) -> int:
        """How many independent units there are: what a quantile of the error depends on."""
        return self.n if self.days is None else self.days

    def around(self, value: float) -> tuple[float, float]:
        """Return both ends of the 90% interval of a value."""
        half = quantile((1 + CONFIDENCE) / 2, self.units) * self.standard_error
        return value - half, value + half


class Measurement(Spread):
    """A measured value; on the holdout, or of a live window."""

    value: float

    @classmethod
    def of(cls, value: float, spread: Spread) -> "Measurement":
        """Return a value that is known this well."""
        return cls(value=value, **dict(spread))

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends of the 90% interval; they may lie outside of what the metric can be."""
        return self.around(self.value)


class PairedDifference(Spread):
    """The difference of two models on the same rows, oriented so that plus is better.

    Attributes:
        estimate: candidate minus baseline (baseline minus candidate for a loss), in the
            metric's unit.
        low, high: the two-sided 90% interval.
    """

    estimate: float
    low: float
    high: float

    @classmethod
    def of(cls, estimate: float, spread: Spread) -> "PairedDifference":
        """Return the difference with its interval."""
        low, high = spread.around(estimate)
        return cls(estimate=estimate, low=low, high=high, **dict(spread))

    @property
    def p_worse(self) -> float:
        """The one-sided p-value against "no worse": small when the difference is a loss."""
        if self.standard_error == 0:
            return 0.0 if self.estimate < 0 else 1.0
        return probability_below(self.estimate / self.standard_error, self.units)


def spread_over_days(pulls: Sequence[float], by_row: float, n: int) -> Spread:
    """Return the spread of a number where days, not rows, are independent.

    Rows of one day are right or wrong together (one storm, one outage); as independent rows
    they would make chance look like proof: the error is the cluster-robust one (Liang and Zeger
    1986). Of few days that is noisy, and too small as often as too large, so it is never taken
    below the error of the rows (the rule of Angrist and Pischke 2009, section 8.1).

    Args:
        pulls: what each of at least two days moves the number by, in the number's unit.
        by_row: the standard error if rows were independent.
        n: rows of all days.
    """
    k = len(pulls)
    by_day = math.sqrt(math.fsum(one**2 for one in pulls) * k / (k - 1))
    return Spread(standard_error=max(by_day, by_row), n=n, days=k)


def minimum_detectable(spread: Spread) -> float:
    """Return the loss that as many units would find with 80% power at one-sided 5%."""
    return _reach(spread.units) * spread.standard_error


def n_needed(spread: Spread, margin: float) -> int:
    """Return the units that would show "not worse by the margin" of an equal model with 80% power.

    Args:
        spread: of a difference that was measured; its units, days or rows, are those returned.
        margin: the allowed loss in the metric's unit, above zero.
    """
    one = spread.standard_error * math.sqrt(spread.units)

    def too_few(units: int) -> bool:
        return _reach(units) * one / math.sqrt(units) > margin

    low, high = 1, 2
    while too_few(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if too_few(middle) else (low, middle)
    return high


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number, in the same order (Holm 1979)."""
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _reach(units: int) -> float:
    """How many standard errors of so many units apart 5% false alarm and 80% power are."""
    return quantile((1 + CONFIDENCE) / 2, units) + quantile(POWER, units)
