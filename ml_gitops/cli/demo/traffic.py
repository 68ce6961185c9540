"""Live traffic of the demo: real flights of 2013, sent over HTTP, and their labels, late."""

import csv
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ml_gitops.adapters.workspace import LocalWorkspace
from ml_gitops.config import Config
from ml_gitops.data.schema import Window
from ml_gitops.document import Part
from ml_gitops.errors import ServiceError

BATCH = 500


class Sent(Part):
    """What was sent in one stretch of days, and what came back."""

    window: Window
    requests: int
    rows: int
    mean_score: float
    positives: int
    seconds: float


class Traffic:
    """Send the rows of days to a service, and write their labels once they are known.

    Args:
        config: which columns are features, id, time and target.
        workspace: whose source has the rows.
    """

    def __init__(self, config: Config, workspace: LocalWorkspace) -> None:
        self._config = config
        self._workspace = workspace

    def send(self, url: str, window: Window, told: Callable[[float], None]) -> Sent:
        """Send every row of a window to a running service, in batches; write the labels.

        Args:
            url: where the service answers.
            window: the days.
            told: hears which share of the rows is sent (0 to 1).

        Raises:
            ServiceError: the service did not answer every row.
        """
        started = time.perf_counter()
        data = self._config.data
        frame = self._workspace.call(data.source, window.start, window.until)
        rows = list(self._requests(frame))
        scores: list[float] = []
        for first in range(0, len(rows), BATCH):
            told(first / len(rows))
            answers = _post(f"{url}/predict_batch", {"requests": rows[first : first + BATCH]})
            scores += [answer["score"] for answer in answers["answers"]]
        if len(scores) != len(rows):
            raise ServiceError(
                f"{len(rows)} rows were sent, {len(scores)} answered", hint="run the demo again"
            )
        self._write_labels(frame)
        return Sent(
            window=window,
            requests=-(-len(rows) // BATCH),
            rows=len(rows),
            mean_score=sum(scores) / max(len(scores), 1),
            positives=int(frame[data.target].sum()),
            seconds=round(time.perf_counter() - started, 2),
        )

    def _requests(self, frame: Any) -> Iterator[dict[str, Any]]:
        """Yield what a caller would send: the features, the id, and the time of the flight."""
        data = self._config.data
        names = [feature.name for feature in self._config.features.values()]
        records = frame[names].astype(object).where(frame[names].notna(), None)
        times = frame[data.time].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        for features, id_, when in zip(
            records.to_dict("records"), frame[data.id], times, strict=True
        ):
            yield {"features": features, "id": id_, "time": when}

    def _write_labels(self, frame: Any) -> None:
        """Let every outcome arrive when the flight has landed: one file a day, with the time.

        The files may say more than is known on a day; the monitor goes by the time in them.
        """
        data, monitor = self._config.data, self._config.monitor
        folder = self._workspace.root / Path(monitor.labels).parent
        folder.mkdir(parents=True, exist_ok=True)
        header = [data.id, data.target, monitor.arrived]
        days: dict[date, list[list[Any]]] = {}
        for id_, late, scheduled, delay, flown in zip(
            frame[data.id],
            frame[data.target].astype(int),
            frame[data.time],
            frame["dep_delay"],
            frame["air_time"],
            strict=True,
        ):
            landed = scheduled + timedelta(minutes=delay + flown)
            days.setdefault(landed.date(), []).append([id_, late, f"{landed.isoformat()}Z"])
        for day, rows in days.items():
            path = folder / f"{day}.csv"
            is_new = not path.exists()
            with path.open("a", newline="") as file:
                csv.writer(file).writerows([header, *rows] if is_new else rows)


def weeks(start: date, until: date) -> list[Window]:
    """Return the consecutive windows of seven days between two days."""
    found = []
    while start + timedelta(days=7) <= until:
        found.append(Window(start=start, until=start + timedelta(days=7)))
        start += timedelta(days=7)
    return found


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310  (our own service on this machine)
        url, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return dict(json.load(answer))
    except OSError as error:
        raise ServiceError(
            f"the service did not answer: {error}", hint="run the demo again", where=url
        ) from None
