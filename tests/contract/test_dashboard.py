"""The dashboard on a forge: one of them, kept by whoever looks, left alone where people say so."""

from datetime import date, timedelta

import pytest

from ml_gitops.config import Config, parse_config
from ml_gitops.errors import ForgeError
from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Forge
from ml_gitops.pull_request import Issue, IssueSpec
from ml_gitops.workflows.dashboard import EVERY, KIND, UNTENDED, tend
from ml_gitops.workflows.status import silence
from tests.builders import config_text
from tests.contract.forges import GitHubHarness, Harness
from tests.contract.test_manners import records_of
from tests.unit.test_pages import observation

WEEK = timedelta(days=7)


def config(model: str = "delay", **bot: object) -> Config:
    """Return the config of a model."""
    return parse_config(config_text(model={"name": model}, bot=bot))


def look(model: str = "delay", *, later: timedelta = timedelta(), late: float = 0.5) -> Observation:
    """Return a look at a model."""
    seen = observation(late=late)[0]
    return seen.model_copy(update={"model": model, "as_of": seen.as_of + later})


def tended(harness: Harness, seen: Observation, **bot: object) -> str:
    """Let a monitor that has looked bring everything in order, and return what it did."""
    forge, records = harness.forge(), records_of(harness)
    return tend(config(seen.model, **bot), forge, records, seen.as_of, seen=seen).action


def dashboards(forge: Forge) -> list[Issue]:
    """Return the open dashboards."""
    return [it for it in forge.issues() if it.state == "open" and "dashboard" in it.labels]


def test_every_model_has_its_section(harness: Harness) -> None:
    """Each look keeps its own section; the same look again writes nothing."""
    assert tended(harness, look("churn", late=0.8)) == "open"
    assert tended(harness, look("delay")) == "update"
    assert tended(harness, look("delay")) == "keep"
    (first,) = dashboards(harness.forge())
    assert "## ✗ `churn`: a retraining is due" in first.body
    assert "## ✓ `delay`: calm" in first.body

    assert tended(harness, look("churn")) == "update"

    (second,) = dashboards(harness.forge())
    assert second.number == first.number
    assert "## ✓ `churn`: calm" in second.body
    assert first.body.partition("`delay`")[2][:200] == second.body.partition("`delay`")[2][:200]


def test_only_a_look_opens_it_and_whoever_comes_by_renews_it(harness: Harness) -> None:
    """A release before the first look opens nothing; later it shows what changed since."""
    forge, records, day = harness.forge(), records_of(harness), look().as_of
    records.append("monitoring/delay/2013-04-22-001-x.json", look().to_json())

    before = tend(config(), forge, records, day)
    tended(harness, look())
    forge = harness.forge()
    forge.commit("main", {"deployments/production.json": None}, "Nothing")
    same = tend(config(), harness.forge(), records_of(harness), day)

    assert before == UNTENDED
    assert same.action == "keep"


def test_what_a_person_closed_stays_closed(harness: Harness) -> None:
    """Who closes it does without it, and gets it back by opening it again."""
    tended(harness, look())
    (shown,) = dashboards(harness.forge())
    harness.forge("ada", bot=False).close(shown.number)

    again = [tended(harness, look(later=WEEK * n, late=0.8)) for n in range(3)]

    assert again == ["keep"] * 3
    assert dashboards(harness.forge()) == []


def test_a_config_does_without_it(harness: Harness) -> None:
    """A model that wants no section takes its own away; the last one closes the issue."""
    tended(harness, look("churn"))
    tended(harness, look("delay"))

    assert tended(harness, look("churn"), dashboard=False) == "update"
    (shown,) = dashboards(harness.forge())
    assert "`churn`" not in shown.body
    assert tended(harness, look("delay"), dashboard=False) == "close"
    assert tended(harness, look("delay"), dashboard=False) == "keep"
    assert dashboards(harness.forge()) == []


def test_two_that_a_race_left_become_one(harness: Harness) -> None:
    """Two first looks at once open two; the next look keeps the older."""
    forge = harness.forge()
    spec = IssueSpec(KIND, EVERY, KIND, "Where the models stand", "Nothing yet.", (KIND,))
    first, second = (
        forge.open_issue(f"{spec.title}{n}", spec.full_body, spec.labels) for n in range(2)
    )

    tended(harness, look())

    (kept,) = dashboards(harness.forge())
    assert kept.number == first.number
    closed = next(it for it in harness.forge().issues() if it.number == second.number)
    assert [it.body for it in closed.comments] == [f"#{first.number} is the dashboard."]


def test_a_quiet_week_costs_no_write(harness: Harness) -> None:
    """On GitHub a look that finds what was there before asks once and changes nothing."""
    tended(harness, look())
    if isinstance(harness, GitHubHarness):
        for day in range(1, 7):
            harness.wait()
            before = len(harness.server.calls)

            tended(harness, look(later=timedelta(days=day)))

            calls = harness.server.calls[before:]
            assert not any(it.writes for it in calls)
    assert tended(harness, look(later=WEEK)) == "update"


def test_what_nobody_can_read_stops_nothing_and_is_no_silence(harness: Harness) -> None:
    """A report is posted where desired state or records are damaged, and says what is not known."""
    forge, records, today = harness.forge(), records_of(harness), date(2013, 4, 22)
    records.append("monitoring/delay/2013-04-22-001-x.json", "{oops")

    unread = silence(config(), forge, records, today)
    forge.commit("main", {"deployments/production.json": b"{}"}, "Break it")
    broken = silence(config(), harness.forge(), records_of(harness), today)

    assert unread == ""
    assert broken.startswith("whether the monitor still looks cannot be told")


def test_a_forge_that_refuses_stops_no_loop(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where issues are forbidden it is said with the remedy, and the monitor goes on."""
    forge = harness.forge()

    def refuse(*_: object) -> Issue:
        raise ForgeError("issues are disabled here", hint="enable them")

    monkeypatch.setattr(type(forge), "open_issue", refuse, raising=False)

    done = tend(config(), forge, records_of(harness), date(2013, 4, 22), seen=look())

    assert done.obstacle.startswith("labels or dashboard could not be written: issues are disabled")
    assert "`dashboard = false` in [bot]" in done.obstacle
