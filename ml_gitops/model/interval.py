"""How sure a number is: intervals, paired differences, and how many rows would settle them.

Everything rests on one form: a metric is a value and one influence term per row, scaled so that
its standard error is `sqrt(sum of squares) / rows`. Terms of two models on the same rows subtract.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

from pydantic import Field

from ml_gitops.document import Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


def interval(estimate: float, error: float, n: int) -> tuple[float, float]:
    """Return both ends of the 90% interval of an estimate with this standard error."""
    half = quantile((1 + CONFIDENCE) / 2, n) * error
    return estimate - half, estimate + half


class PairedDifference(Part):
    """The difference of two models on the same rows, oriented so that plus is better.

    Attributes:
        estimate: candidate minus baseline (baseline minus candidate for a loss), in the
            metric's unit.
        standard_error: of the estimate, from the rows' paired differences.
        low, high: the two-sided 90% interval.
        n: rows.
        units: independent units they make: rows, or clusters such as days.
    """

    estimate: float
    standard_error: float = Field(ge=0)
    low: float
    high: float
    n: int = Field(ge=1)
    units: int = Field(ge=1)

    @classmethod
    def of(
        cls, estimate: float, influence: "NDArray[np.float64]", *, rows: int | None = None
    ) -> "PairedDifference":
        """Build the difference from its estimate and its influence terms.

        Args:
            estimate: in the metric's unit.
            influence: one term per independent unit, shape (units,).
            rows: how many rows the units are made of; as many, if not given.
        """
        error, units = standard_error(influence), len(influence)
        low, high = interval(estimate, error, units)
        return cls(
            estimate=estimate,
            standard_error=error,
            low=low,
            high=high,
            n=units if rows is None else rows,
            units=units,
        )

    @property
    def p_worse(self) -> float:
        """The one-sided p-value against "no worse": small when the difference is a loss."""
        if self.standard_error == 0:
            return 0.0 if self.estimate < 0 else 1.0
        return probability_below(self.estimate / self.standard_error, self.units)


def minimum_detectable(difference: PairedDifference) -> float:
    """Return the loss that these rows would find with 80% power at one-sided 5%."""
    return _reach() * difference.standard_error


def n_needed(difference: PairedDifference, margin: float) -> int:
    """Return the rows that would show "not worse by the margin" of an equal model with 80% power.

    Args:
        difference: what was measured; only its spread and rows are used.
        margin: the allowed loss in the metric's unit, above zero.
    """
    rows = difference.n * (_reach() * difference.standard_error / margin) ** 2
    # A whole number must not become the next one because of the last bit.
    return max(1, math.ceil(rows - 1e-9))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number, in the same order (Holm 1979)."""
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _reach() -> float:
    """How many standard errors apart 5% false alarm and 80% power are."""
    return _NORMAL.inv_cdf((1 + CONFIDENCE) / 2) + _NORMAL.inv_cdf(POWER)
