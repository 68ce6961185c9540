"""An observation as tables for the terminal: quality by window, drift by feature."""

from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.observation import Observation
from ml_gitops.render.charts.bars import sparkline
from ml_gitops.render.numbers import count, percent
from ml_gitops.render.terminal import Terminal


def tell_quality(terminal: Terminal, observation: Observation) -> None:
    """Show each metric by window, against what the release promised."""
    for metric in observation.health.metrics:
        known = METRICS[metric.metric]
        rows = [
            [
                f"{one.since:%m-%d}..{one.until:%m-%d}",
                f"{seen.predictions:,}",
                percent(seen.coverage, digits=0),
                known.text(one.value) if one.value is not None else "–",
                known.text(-one.drop, signed=True) if one.drop is not None else "–",
                "bad" if one.bad else ("ok" if one.usable else "cannot tell"),
            ]
            for one, seen in zip(metric.windows, observation.windows, strict=False)
        ]
        terminal.table(
            ["window", "rows", "labelled", known.label, "vs promise", ""],
            rows,
            align=["left", "right", "right", "right", "right", "left"],
        )


def tell_drift(terminal: Terminal, observation: Observation) -> None:
    """Show how far each feature of the newest window is from the reference."""
    last = observation.drift[-1]
    effects: dict[str, list[float]] = {}
    for report in observation.drift:
        for column in report.columns:
            effects.setdefault(column.name, []).append(column.effect)
    rows = [
        [
            column.name,
            percent(column.weight, digits=0),
            f"{column.effect:.2f}",
            f"{column.q:.2g}",
            sparkline(effects[column.name], low=0.0, high=max(0.5, *effects[column.name])),
            "drifts" if column.drifted else "as before",
        ]
        for column in last.columns[:8]
    ]
    terminal.table(
        ["feature", "importance", "shift w", "q", "windows", ""],
        rows,
        align=["left", "right", "right", "right", "left", "left"],
        title=f"{count(last.rows, 'prediction')} of the newest window"
        + (f", one in {observation.one_in} of the log" if observation.one_in > 1 else ""),
    )
    terminal.line(last.text)
