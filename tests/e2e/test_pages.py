"""The pages of what really happened: the verdict first, pictures at two widths, nothing loaded."""

import re

import pytest

from ml_gitops.monitoring.observation import Observation
from ml_gitops.monitoring.profile import Profile
from ml_gitops.render import observation_page, report_page
from ml_gitops.report import Report
from tests.e2e.world import FIRST, World
from tests.markup import Checked

WORSE = "churn@v1.1.0"


def report_of(world: World, tag: str) -> Report:
    """Return the report that a release was reviewed by."""
    kept = world.forge.asset(tag, "report.json")
    assert kept is not None
    return Report.from_json(kept, where=tag)


def verdict_of(html: str) -> tuple[str, str]:
    """Return the tone of the verdict that a page begins with, and what it says."""
    main = html.split("<main", 1)[1]
    found = re.match(
        r'[^>]*>\n<section class="verdict (\w+)"[^>]*>\n(.*?)</section>', main, re.DOTALL
    )
    assert found
    return found[1], found[2]


@pytest.mark.parametrize(
    ("tag", "tone", "word"), [(FIRST, "good", "may merge"), (WORSE, "bad", "should not merge")]
)
def test_a_report_says_its_verdict_first(worse: World, tag: str, tone: str, word: str) -> None:
    """The verdict stands above every number, in words; then tables, pictures, what is folded."""
    html = report_page.to_html(report_of(worse, tag))

    Checked(html)
    shown, said = verdict_of(html)
    assert shown == tone
    assert word in said
    assert said.startswith("<h2>")
    rest = html.split("</section>", 1)[1]
    assert rest.index("<table>") < rest.index("<figure>") < rest.index("<details>")


def test_a_report_shows_what_the_gate_allows(worse: World) -> None:
    """The metric that decides stands beside its limit, and outside it, for those who cannot see."""
    html = report_page.to_html(report_of(worse, WORSE))

    assert re.search(r"<desc>[^<]*log loss: −0\.\d+ \[−0\.\d+, −0\.\d+\], outside", html)
    assert "allowed loss</text>" in html
    assert not re.search(r">[^<]*\d\.\d+e-\d\d", html.split("<figure>", 1)[1].split("<details>")[0])


def test_an_observation_says_what_follows_first(rolled_back: World) -> None:
    """A rollback that is wanted is the first thing on the page; quality and drift come after."""
    (_, kept), *_ = rolled_back.records()
    observation = Observation.from_json(kept.encode(), where="the records")
    profile = rolled_back.forge.asset(observation.release, "profile.json")

    html = observation_page.to_html(
        observation, Profile.from_json(profile or b"", where=observation.release)
    )

    read = Checked(html)
    tone, said = verdict_of(html)
    assert tone == "bad"
    assert observation.rollback.headline.split(":")[0] in said
    assert "script" not in read.tags
    assert html.index("<h2>Quality</h2>") < html.index("<h2>Drift</h2>")
    assert re.search(r">promised: \d\.\d+<", html)
    assert re.search(r">allowed: at least \d\.\d+<", html)
