"""Charts as SVG text: no script, no font, no dependency; each also stands alone as a file.

Every chart has a name and a description for those who do not see it, wears light and
dark by itself, and never says anything by colour alone.
"""

from ml_gitops.render.charts.bars import Bar, bars, sparkline
from ml_gitops.render.charts.calibration import Bin, calibration
from ml_gitops.render.charts.distribution import Distribution, distribution, small_multiples
from ml_gitops.render.charts.drawing import NARROW, WIDE, style
from ml_gitops.render.charts.events import Event
from ml_gitops.render.charts.intervals import Interval, intervals
from ml_gitops.render.charts.lines import Point, Series
from ml_gitops.render.charts.timeline import Threshold, timeline

__all__ = [
    "NARROW",
    "WIDE",
    "Bar",
    "Bin",
    "Distribution",
    "Event",
    "Interval",
    "Point",
    "Series",
    "Threshold",
    "bars",
    "calibration",
    "distribution",
    "intervals",
    "small_multiples",
    "sparkline",
    "style",
    "timeline",
]
