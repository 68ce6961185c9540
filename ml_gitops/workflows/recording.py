"""What is kept of every run, for good: one immutable document on the record branch."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta

from ml_gitops.document import Document
from ml_gitops.errors import DocumentError
from ml_gitops.model.lineage import short
from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Records
from ml_gitops.pull_request import PullRequest
from ml_gitops.report import TrainingRecord

BUDGETED = timedelta(days=30)
"""The time for which trainings are counted."""
LOOKS = "monitoring"
"""The folder of what the monitor saw, by model."""


def record_observation(records: Records, observation: Observation) -> str:
    """Keep an observation, and return its path; equal ones are kept once."""
    return _keep(records, f"{LOOKS}/{observation.model}/{observation.as_of}-", observation)


def record_training(records: Records, training: TrainingRecord) -> str:
    """Keep a training that was reported on, and return its path; equal ones are kept once."""
    return _keep(records, f"training/{training.model}/{training.window.until}-", training)


def trainings(records: Records, model: str) -> Iterator[TrainingRecord]:
    """Yield the trainings of a model that were reported on; what nobody can read is passed over."""
    for path, text in records.read_all(f"training/{model}/"):
        with suppress(DocumentError):
            yield TrainingRecord.from_json(text.encode(), where=path)


def recent_trainings(
    records: Records, model: str, existing: Sequence[PullRequest], today: date
) -> list[TrainingRecord]:
    """Return the trainings that the monitor started and that count against its budget.

    Args:
        existing: all pull requests; where the monitor proposed nothing no record is read.
        today: the day from which to look back.
    """
    ours = {
        one.number
        for one in existing
        if one.marker is not None and (one.marker.kind, one.marker.model) == ("retrain", model)
    }
    trained = [it for it in trainings(records, model) if it.pull_request in ours] if ours else []
    return [it for it in trained if today - BUDGETED < it.window.until <= today]


def _keep(records: Records, prefix: str, document: Document) -> str:
    """Keep a document under the first free number of its day: the last one is the newest."""
    text = document.to_json()
    known = records.read_all(prefix)
    path = next((path for path, kept in known if kept == text), None)
    if path is None:
        path = f"{prefix}{len(known) + 1:03d}-{short(document.content_digest())[:8]}.json"
        records.append(path, text)
    return path
