"""Every place where outside text reaches what we post, found by trying, not by a list of ours.

A document is taken apart into its texts and keys. Where its form accepts anything, outside text
may stand: there a payload is put, and what is posted of the document is looked at.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from pydantic import ValidationError

from ml_gitops.checks import CheckOutcomes
from ml_gitops.data.violation import Violation
from ml_gitops.delivery.release import Release
from ml_gitops.document import Missing, Part
from ml_gitops.model.metric_change import SliceChange
from ml_gitops.monitoring.observation import Observation
from ml_gitops.pull_request import LONGEST_TEXT, Marker, signed_text
from ml_gitops.render.ci_report import to_markdown
from ml_gitops.render.dashboard import settled
from ml_gitops.render.observation_body import incident_body, look_summary, retraining_body
from ml_gitops.render.proposal_body import promotion_body, release_notes, rollback_body
from ml_gitops.report import Report
from ml_gitops.workflows.publishing.evidence import write_body
from ml_gitops.workflows.publishing.one import Shown, Told
from ml_gitops.workflows.publishing.post import summary
from tests.unit.test_ci_report import basis, compared, failed, passed, report
from tests.unit.test_dashboard import DAY, harmed
from tests.unit.test_pages import observation
from tests.unit.test_proposal_body import release

OURS = {
    "silence": "made of days alone, by `Pulse.silence`",
    "quiet.0.kind": "one of the kinds of a marker",
    "quiet.1.kind": "one of the kinds of a marker",
}
"""Places whose form is open, and whose text is ours all the same."""
PROBE = "Anything <at> | `all`"
Path = tuple[str | int, ...]
Place = tuple[Path, bool]
"""Where a text stands in a document, and whether it is a key there."""


@dataclass(frozen=True)
class Posted:
    """Something that is posted, as it is written from a document.

    Attributes:
        name: what it is.
        document: with text in every place that it has.
        write: returns what is posted.
    """

    name: str
    document: Part
    write: Callable[[Any], str]

    @cached_property
    def value(self) -> Any:
        """The document as plain values."""
        return self.document.model_dump(mode="json")

    @cached_property
    def places(self) -> dict[Place, None]:
        """Where outside text can stand so that it is read in what is posted."""
        found = (it for it in leaves(self.value) if ".".join(map(str, it[0])) not in OURS)
        return {place: None for place in found if self._reached(place)}

    def _reached(self, place: Place) -> bool:
        try:
            text = self.said({place: None}, PROBE)
        except (ValidationError, LookupError):  # a form that is closed, or a name that is known
            return False
        return "anything" in text.casefold()

    def said(self, places: Mapping[Place, None], text: str) -> str:
        """Return what is posted with a text in some places."""
        return self.write(type(self.document).model_validate(put(self.value, places, text)))

    def with_text(self, text: str) -> str:
        """Return what is posted with a text in all places."""
        return self.said(self.places, text)


def leaves(value: Any, path: Path = ()) -> Iterator[Place]:
    """Yield the place of every text in a document, and whether it is a key."""
    if isinstance(value, str):
        yield path, False
    elif isinstance(value, dict):
        for key, one in value.items():
            yield (*path, key), True
            yield from leaves(one, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from leaves(one, (*path, index))


def put(value: Any, places: Mapping[Place, None], text: str, path: Path = ()) -> Any:
    """Return a document with a text in some places; keys stay apart by a number."""
    if isinstance(value, str):
        return text if (path, False) in places else value
    if isinstance(value, dict):
        return {
            (f"{text} {n}" if ((*path, key), True) in places else key): put(
                one, places, text, (*path, key)
            )
            for n, (key, one) in enumerate(value.items())
        }
    if isinstance(value, list):
        return [put(one, places, text, (*path, n)) for n, one in enumerate(value)]
    return value


MARKER = Marker(kind="report", model="churn")


@cache
def everything() -> tuple[Posted, ...]:
    """Return all that is posted, each once."""
    judged, alone, look, back = _judged(), _alone(), *_looks()
    shipped = release(
        "v1.1.0",
        changed=("parameters", "code"),
        differences=("C: 1 → 2", "a line"),
        doubts=("nobody approved it", "it was pushed by hand"),
        pull_request=5,
    )
    first = Missing(reason="no release yet")
    return (
        Posted("report", judged, to_markdown),
        Posted("report without a champion", alone, _of_a_fork),
        Posted("check run of several models", judged, _summary),
        Posted("dashboard", harmed(), lambda it: settled(None, it, DAY).text),
        Posted("retraining", look, lambda it: retraining_body(it, judged)),
        Posted("incident", look, lambda it: incident_body(it) + "\n\n" + look_summary(it)),
        Posted("rollback", back, lambda it: _rollback(shipped, it)),
        Posted("promotion", shipped, lambda it: _promotion(it, it)),
        Posted("first promotion", first, lambda it: _promotion(shipped, it)),
        Posted("rollback of a release", shipped, lambda it: _rollback(it, back)),
        Posted("release notes", shipped, lambda it: release_notes(it, judged)),
    )


def _judged() -> Report:
    checks = (passed("Plans are answered"), failed("Nobody is left out", "somebody was"))
    odd = Violation(
        column="load", problem="is odd", rows=3, examples=("1", "2"), severity="warning"
    )
    made = report(compared(noise=0.9), checks=CheckOutcomes(outcomes=checks))
    untold = SliceChange(column="plan", value="p9", n=3, change=Missing(reason="too few"))
    return made.model_copy(
        update={
            "basis": basis(made.lock, gate_changes=("margin",), check_changes=("test_a", "b")),
            "validation": made.validation.model_copy(update={"violations": (odd,)}),
            "comparison": made.comparison.model_copy(
                update={"slices": (*made.comparison.slices, untold)}
            ),
            "differences": ("C: 1 → 2", "more rows"),
        }
    )


def _alone() -> Report:
    made = _judged()
    none = {"baseline": Missing(reason="nothing serves"), "champion": Missing(reason="no release")}
    undefined = made.comparison.candidate.model_copy(
        update={"metrics": {}, "undefined": {"roc_auc": "one class only"}}
    )
    comparison = made.comparison.model_copy(update={**none, "candidate": undefined})
    return made.model_copy(
        update={"comparison": comparison, "checks": Missing(reason="there are none")}
    )


def _looks() -> tuple[Observation, Observation]:
    """Return a look that asks for a retraining, and one that asks to go back."""
    return observation(late=0.8)[0], observation(late=0.8, rollback=True)[0]


def _of_a_fork(one: Report) -> str:
    """Return what the job that may write makes of a fork's report; the paths are the fork's."""
    paths = [one.about, f"checks/{one.about}.py"]
    return write_body(one, paths, {}, trusted=False)


def cut_report(text: str, room: int) -> str:
    """Return a report with a text in every place that does not fit: it is cut within a fold.

    Args:
        text: in all places.
        room: how many characters of it more than the first third are left.
    """
    whole = everything()[0].with_text(text)
    spare = LONGEST_TEXT - 300 - len(whole) // 3 - room
    filler = "\n".join(["x" * 9_999] * (spare // 10_000))
    return signed_text(f"{filler}\n{'x' * (spare % 10_000)}\n\n{whole}", MARKER)


def _summary(one: Report) -> str:
    """Return what the check run shows where a pull request changes two models."""
    shown = Shown(Told("churn", "posted", verdict="pass"), one.headline, "")
    return summary([shown, shown])


def _promotion(one: Release, serving: Release | Missing) -> str:
    return promotion_body(one, serving, source="staging", environment="production")


def _rollback(one: Release, look: Observation) -> str:
    return rollback_body(one, one, environment="production", seen=look)
