"""Whether probabilities are frequencies, and how the scores are spread."""

from typing import TYPE_CHECKING

from ml_gitops.document import Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Booleans = NDArray[np.bool_]

CALIBRATION_BINS = 15
HISTOGRAM_BINS = 20


class CalibrationBin(Part):
    """About equally many rows with neighbouring scores: what was said, and what came true."""

    mean_score: float
    observed_rate: float
    n: int


class Calibration(Part):
    """How far probabilities are from frequencies.

    Attributes:
        error: expected calibration error, the bins' mean distance weighted by rows.
    """

    bins: tuple[CalibrationBin, ...]
    error: float


class ScoreHistogram(Part):
    """Rows per bin of the score; `events` counts those where the scored event came true.

    A bin includes its lower edge, the last one also its upper edge.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    events: tuple[int, ...] | None = None


def calibrate(scores: "Floats", events: "Booleans") -> Calibration:
    """Compare scores with what came true, in 15 bins of equally many rows.

    Args:
        scores: probabilities, shape (n,).
        events: whether that came true, shape (n,).
    """
    import numpy as np

    order = np.argsort(scores, kind="stable")
    bins = tuple(
        CalibrationBin(
            mean_score=float(scores[rows].mean()),
            observed_rate=float(events[rows].mean()),
            n=len(rows),
        )
        for rows in np.array_split(order, min(CALIBRATION_BINS, len(order)))
    )
    distance = sum(one.n * abs(one.mean_score - one.observed_rate) for one in bins)
    return Calibration(bins=bins, error=distance / len(scores))


def count_scores(scores: "Floats", events: "Booleans | None") -> ScoreHistogram:
    """Count scores in 20 bins: of [0, 1] where events are given, else of their own range."""
    import numpy as np

    edges = np.histogram_bin_edges(scores, HISTOGRAM_BINS, None if events is None else (0.0, 1.0))
    return ScoreHistogram(
        edges=tuple(edges.tolist()),
        counts=tuple(np.histogram(scores, edges)[0].tolist()),
        events=None if events is None else tuple(np.histogram(scores[events], edges)[0].tolist()),
    )
