"""Parity: does the ONNX file answer what the fitted estimator answered?

Arrays in, numbers out; this module knows neither models nor runtimes. The config knows its
policy and a monitor has no NumPy, so NumPy is imported where arrays are at hand.
"""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ml_gitops.document import Document, Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]


class ParityPolicy(Part):
    """How far the ONNX file may stand from the estimator it was exported from."""

    tolerance: float = Field(default=1e-5, gt=0, lt=1)
    """Largest difference of a probability; float32 trees differ by 1e-7, a mistake by 1e-3."""

    relative_tolerance: float = Field(default=1e-5, gt=0, lt=1)
    """Largest difference of a regression's value, as a share of it or of the values' spread."""

    tie_width: float = Field(default=1e-6, ge=0, lt=1)
    """Two classes closer than this are a tie: which one wins is rounding, not a decision."""


class ParityReport(Document):
    """What the comparison of two sets of answers found.

    Attributes:
        rows: how many rows were answered twice.
        max_discrepancy: the largest difference.
        p999: the difference that 99.9 % of the rows stay below.
        beyond: rows over the tolerance.
        decisions_flipped: rows whose most probable class changed, ties aside.
        ties: rows on which the estimator itself cannot decide.
        tolerance: the limit that applied.
        passed: whether the ONNX file may be served.
        text: the same in one sentence.
    """

    file_name: ClassVar[str] = "parity.json"

    rows: int
    max_discrepancy: float | None
    p999: float | None
    beyond: int
    decisions_flipped: int
    ties: int
    tolerance: float
    passed: bool
    text: str


def discrepancies(expected: "Floats", actual: "Floats") -> "Floats":
    """Return how far two sets of answers stand apart, row by row.

    Args:
        expected: the estimator's probabilities of shape (n, classes), or values
            of shape (n,) for a regression.
        actual: the ONNX file's, of the same shape and for the same rows.

    Returns:
        Differences of shape (n,): of probabilities the largest; of values a
        share of the value, or near zero of the values' spread.
    """
    import numpy as np

    if expected.ndim == 1:
        return _relative(expected, actual)
    apart: Floats = np.abs(expected - actual).max(axis=1)
    return apart


def finite_rows(answers: "Floats") -> "NDArray[np.bool_]":
    """Return which rows an estimator answers with numbers that can be compared, of shape (n,)."""
    import numpy as np

    return np.asarray(np.isfinite(answers).reshape(len(answers), -1).all(axis=1))


def compare_answers(
    expected: "Floats", actual: "Floats", policy: ParityPolicy | None = None
) -> ParityReport:
    """Compare what the estimator answered with what the ONNX file answers.

    Args:
        expected: the estimator's probabilities of shape (n, classes), or values
            of shape (n,) for a regression.
        actual: the ONNX file's, of the same shape and for the same rows.
        policy: the tolerances.

    Returns:
        The report; different shapes, no rows, or answers that are no finite
        numbers do not pass.
    """
    import numpy as np

    policy = policy or ParityPolicy()
    regression = expected.ndim == 1
    tolerance = policy.relative_tolerance if regression else policy.tolerance
    if expected.shape != actual.shape or len(expected) == 0:
        text = f"the estimator answers {expected.shape}, the ONNX file {actual.shape}"
        return _report(len(expected), None, tolerance, flipped=0, ties=0, problem=text)
    expected, actual = expected.astype(np.float64), actual.astype(np.float64)
    if not (np.isfinite(expected).all() and np.isfinite(actual).all()):
        text = "some answers are not finite numbers"
        return _report(len(expected), None, tolerance, flipped=0, ties=0, problem=text)
    discrepancy = discrepancies(expected, actual)
    if regression:
        return _report(len(expected), discrepancy, tolerance, flipped=0, ties=0)
    flipped, ties = _decisions(expected, actual, policy.tie_width)
    return _report(len(expected), discrepancy, tolerance, flipped=flipped, ties=ties)


def _relative(expected: "Floats", actual: "Floats") -> "Floats":
    import numpy as np

    scale = np.maximum(np.abs(expected), expected.std())
    return np.abs(expected - actual) / np.where(scale > 0, scale, 1.0)


def _decisions(expected: "Floats", actual: "Floats", width: float) -> tuple[int, int]:
    """Return how many decisions flipped, and on how many rows there was none to flip."""
    import numpy as np

    top = np.sort(expected, axis=1)
    tie = top[:, -1] - top[:, -2] <= width
    flipped = expected.argmax(axis=1) != actual.argmax(axis=1)
    return int((flipped & ~tie).sum()), int(tie.sum())


def _report(
    rows: int,
    discrepancy: "Floats | None",
    tolerance: float,
    *,
    flipped: int,
    ties: int,
    problem: str | None = None,
) -> ParityReport:
    import numpy as np

    largest = None if discrepancy is None else float(discrepancy.max())
    beyond = rows if discrepancy is None else int((discrepancy > tolerance).sum())
    passed = problem is None and beyond == 0 and flipped == 0
    if problem is None:
        told = (
            f"ONNX and estimator differ by at most {largest:.1e} on {rows:,} rows"
            if passed
            else f"ONNX and estimator differ by up to {largest:.1e}: {beyond:,} of {rows:,} rows "
            f"over {tolerance:.0e}, {flipped:,} decisions flipped"
        )
        problem = told.replace("e-", "e\N{MINUS SIGN}")
    return ParityReport(
        rows=rows,
        max_discrepancy=largest,
        p999=None if discrepancy is None else float(np.quantile(discrepancy, 0.999)),
        beyond=beyond,
        decisions_flipped=flipped,
        ties=ties,
        tolerance=tolerance,
        passed=passed,
        text=problem,
    )
