"""The pages of an observation and of a story: well-formed, in order, and safe to open."""

import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from ml_gitops.cli.demo.stage import Step
from ml_gitops.data.schema import Window
from ml_gitops.document import Missing
from ml_gitops.model.interval import Measurement
from ml_gitops.monitoring.counts import Cells, ColumnCounts, Counts, LeftOut
from ml_gitops.monitoring.drift import DriftPolicy, measure_drift
from ml_gitops.monitoring.health import HealthPolicy, assess
from ml_gitops.monitoring.observation import Observation
from ml_gitops.monitoring.profile import ColumnProfile, Profile
from ml_gitops.monitoring.quality import WindowQuality
from ml_gitops.monitoring.retrain import RetrainDecision
from ml_gitops.monitoring.rollback import RollbackDecision
from ml_gitops.pull_request import Actor, Comment, PullRequest
from ml_gitops.render import observation_page, story_page
from ml_gitops.render.story_steps import LATE_LABELS, Story
from tests.markup import Checked

NASTY = '</h2><script>alert(1)</script> <img src=x onerror=y> "q" \x1b[31m'
SINCE = datetime(2013, 4, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
JANUARY = Window(start=date(2013, 1, 1), until=date(2013, 2, 1))


def observation(
    *, late: float = 0.5, rollback: bool = False, policy: DriftPolicy | None = None
) -> tuple[Observation, Profile]:
    """Return one look at three weeks, and the profile it was held to.

    Args:
        late: log loss of every week; 0.5 was promised.
        rollback: whether the release before is better.
        policy: of the drift.
    """
    edges = (-math.ulp(0.0), 0.0, 1.0, 5.0, 60.0)
    number = ColumnProfile(
        cells=Cells(name="wind", kind="numeric", edges=edges),
        counts=ColumnCounts(nulls=0, cells=(0, 500, 500, 500, 500, 0)),
        weight=0.6,
    )
    string = ColumnProfile(
        cells=Cells(name="origin", kind="categorical", values=("EWR", NASTY)),
        counts=ColumnCounts(nulls=0, cells=(1000, 990, 10)),
        weight=0.4,
    )
    score = ColumnProfile(
        cells=Cells(name="score", kind="numeric", edges=(0.0, 0.5, 1.0)),
        counts=ColumnCounts(nulls=0, cells=(0, 1500, 500, 0)),
    )
    promised = Measurement(value=0.5, standard_error=0.01, n=5000)
    profile = Profile(
        model="delay",
        task="binary",
        window=JANUARY,
        rows=2000,
        columns=(number, string),
        prediction=score,
        quality={"log_loss": promised},
    )
    windows = tuple(
        WindowQuality(
            since=SINCE + WEEK * n,
            until=SINCE + WEEK * (n + 1),
            predictions=2000,
            labelled=2000,
            positives=400,
            metrics={"log_loss": Measurement(value=late, standard_error=0.01, n=2000)},
        )
        for n in range(3)
    )
    counts = Counts(
        since=windows[-1].since,
        until=windows[-1].until,
        rows=2000,
        columns={
            "wind": ColumnCounts(nulls=0, cells=(0, 0, 100, 400, 1200, 300)),
            "origin": ColumnCounts(nulls=0, cells=(1000, 900, 100)),
        },
        prediction=ColumnCounts(nulls=0, cells=(0, 1400, 600, 0)),
    )
    health = assess(profile.quality, windows, HealthPolicy(), model="delay", primary="log_loss")
    degraded = health.verdict == "degraded"
    return Observation(
        model="delay",
        as_of=date(2013, 4, 22),
        environment="production",
        release="delay@v1.0.0",
        windows=windows,
        drift=(measure_drift(profile, counts, policy or DriftPolicy()),),
        counts=counts,
        left_out=LeftOut(),
        health=health,
        retrain=RetrainDecision(
            want="retrain" if degraded else "nothing",
            headline="quality fell" if degraded else "quality holds",
            reasons=(NASTY,),
            fingerprint="f",
        ),
        rollback=RollbackDecision(
            roll_back=rollback,
            to="delay@v0.9.0",
            headline="delay@v0.9.0 is better" if rollback else "stay",
            loss=Missing(reason="not compared"),
            fingerprint="f",
        ),
        headline="delay@v0.9.0 is better" if rollback else health.text,
    ), profile


def monitor_step(day: date, *, calm: bool, look: Any) -> Step:
    """Return a step in which the monitor looked back."""
    outcome = {
        "as_of": str(day),
        "release": "delay@v1.0.0",
        "headline": "delay@v1.0.0: quality holds" if calm else "quality fell",
        "calm": calm,
        "want": "nothing" if calm else "retrain",
        "reasons": [] if calm else [NASTY],
        "health": look,
        "retraining": {"pull_request": None if calm else 1, "action": None if calm else "open"},
        "rollback": {"wanted": False},
    }
    return step(f"ml-gitops monitor --as-of {day} --html ../reports/{day}.html", day, outcome)


def step(command: str, day: date, outcome: Any, *, who: str = "monitor", code: int = 0) -> Step:
    """Return a step of the story."""
    return Step(
        chapter="The year goes on",
        title=NASTY,
        why=NASTY,
        who=who,
        verb="traffic" if command.startswith("POST") else command.split()[1],
        command=command,
        when=day,
        seconds=1.0,
        exit_code=code,
        output=NASTY,
        outcome=outcome,
        report=f"reports/{day}.html" if "--html" in command else "",
    )


def release(version: str, *, gate: str) -> dict[str, Any]:
    """Return a release as the outcome of the step that made it has it."""
    return {"tag": f"delay@{version}", "version": version, "verdict": NASTY, "gate": gate}


def story(*, gate: str = "pass") -> Story:
    """Return two weeks of a story: a calm one, and one after which a retraining is proposed.

    Args:
        gate: what the gate said of the release.
    """
    days = [date(2013, 4, 8), date(2013, 4, 15)]
    looks = [observation(late=value)[0].health.model_dump(mode="json") for value in (0.5, 0.8)]
    sent = {"rows": 6000, "mean_score": 0.2, "positives": 1200, "window": {"start": "2013-04-01"}}
    watched = [
        monitor_step(day, calm=calm, look=look)
        for day, calm, look in zip(days, (True, False), looks, strict=True)
    ]
    traffic = [step("POST /predict", day, sent, who="production") for day in days]
    released = {"is_new": True, "release": release("v1.0.0", gate=gate)}
    now = datetime(2013, 4, 15, tzinfo=UTC)
    proposal = PullRequest(
        number=1,
        title=NASTY,
        body=NASTY,
        branch="b",
        base="main",
        head="0" * 40,
        author=Actor(login="ml-gitops[bot]", bot=True),
        state="open",
        comments=(
            Comment(number=1, author=Actor(login="ada"), body=NASTY, created=now, updated=now),
        ),
        created=now,
        updated=now,
    )
    return Story(
        chapters=(("The year goes on", NASTY),),
        steps=(
            step("ml-gitops release", date(2013, 4, 1), released, who="ci"),
            traffic[0],
            watched[0],
            traffic[1],
            watched[1],
            step("ml-gitops train", days[1], {"verdict": "block", "headline": NASTY}, code=1),
        ),
        pull_requests=(proposal,),
        diffs=("",),
        watched=tuple(one.outcome for one in watched),
        reports=tuple((f"Monitor on {day}", f"reports/{day}.html") for day in days),
        metric="log_loss",
        seconds=61.0,
    )


PAGES = {
    "observation": lambda: observation_page.to_html(*observation(late=0.8)),
    "story": lambda: story_page.to_html(story()),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_runs_nothing(name: str) -> None:
    """Whatever people wrote, a page is well-formed and loads and runs nothing."""
    html = PAGES[name]()

    read = Checked(html)

    assert not {"script", "img", "link", "iframe", "object", "form", "base"} & set(read.tags)
    assert not [one for _, one, _ in read.attributes if one.startswith("on")]
    assert not re.search(r"url\(|@import|\x1b", html)


@pytest.mark.parametrize("name", PAGES)
def test_headings_go_down_one_level_at_a_time(name: str) -> None:
    """One title, and no heading below a level that is not there."""
    levels = [int(tag[1]) for tag in Checked(PAGES[name]()).tags if re.fullmatch("h[1-6]", tag)]

    # The contents have a heading of their own, beside the page's.
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_has_a_name_and_two_widths(name: str) -> None:
    """A chart is an image with a title and a description, in a column and on a phone."""
    html = PAGES[name]()

    charts = re.findall(r'<svg [^>]*role="img"[^>]*><title>([^<]+)</title><desc>([^<]*)', html)
    assert charts
    assert html.count('class="wide-chart"') == html.count('class="narrow-chart"')
    assert len(charts) == 2 * html.count("<figure>")


@pytest.mark.parametrize(
    ("seen", "tone", "mark"),
    [({}, "good", "✓"), ({"late": 0.8}, "bad", "✗"), ({"rollback": True}, "bad", "✗")],
)
def test_an_observation_says_what_follows_first(seen: dict[str, Any], tone: str, mark: str) -> None:
    """Calm, a retraining or a rollback is the first thing on the page, then why."""
    look, profile = observation(**seen)

    html = observation_page.to_html(look, profile)

    verdict = html.split("<main", 1)[1].split("</section>")[0]
    assert f'class="verdict {tone}"' in verdict
    assert f"<h2>{mark} {look.headline}</h2>" in verdict
    assert "&lt;script&gt;" in verdict


def test_an_observation_names_what_is_promised_and_what_is_allowed() -> None:
    """Both levels are in the legend with their values; bad windows have a ring."""
    html = observation_page.to_html(*observation(late=0.8))

    assert ">promised: 0.5000<" in html
    assert re.search(r">allowed: at most 0\.5\d{3}<", html)
    assert ">bad window<" in html
    assert ">&gt; 60<" in html  # never seen in training


def test_a_panel_says_what_the_table_says() -> None:
    """A shift has its size and a word; where rows are too few, neither is claimed."""
    enough = observation_page.to_html(*observation())
    few = observation_page.to_html(*observation(policy=DriftPolicy(minimum_rows=10**6)))

    noted = [
        set(re.findall(r'class="quiet">([^<]*(?:▲|steady|to say))<', one)) for one in (enough, few)
    ]
    assert any(re.fullmatch(r"shift w = \d\.\d\d, drifts ▲", one) for one in noted[0])
    assert noted[1] == {"too few rows to say"}


def test_the_contents_lead_through_the_story_in_order() -> None:
    """Every stop is on the page once, in the order of the page; turns say what happened."""
    html = story_page.to_html(story())

    contents, body = html.split("</nav>")
    stops = re.findall(r'<a href="#([\w-]+)">([^<]+)</a>', contents.split("<nav")[1])
    places = [body.index(f' id="{anchor}"') for anchor, _ in stops]
    assert places == sorted(places)
    assert [title for _, title in stops] == [
        "What happened",
        "The year goes on",
        "delay@v1.0.0 is released",
        "The monitor proposes a retraining, #1",
        "The gate advises against a change",
        "The pull requests",
        "All reports",
    ]


def test_a_calm_week_is_a_row_and_leads_to_its_report() -> None:
    """Quiet weeks are one table with aligned numbers; a week that was not says what is wanted."""
    html = story_page.to_html(story())

    rows = re.findall(r'<tr id="step-\d+">.*?</tr>', html)
    assert len(rows) == 2
    assert '<td class="number">6,000</td><td class="number">20.0%</td>' in rows[0]
    assert '<a href="reports/2013-04-08.html">quality holds</a>' in rows[0]
    assert '<a href="reports/2013-04-15.html">▲ wants retraining</a>' in rows[1]


def test_a_week_is_told_at_once_and_with_the_labels_that_came_later() -> None:
    """A number that later labels moved stands beside the later one, and the page says why."""
    told = story()
    first, second = (json.loads(json.dumps(one)) for one in told.watched)
    newest = first["health"]["metrics"][0]["windows"][-1]
    newest["value"] = 0.4669
    second["health"]["metrics"][0]["windows"][-2] |= {"value": 0.4995, "since": newest["since"]}

    html = story_page.to_html(told.model_copy(update={"watched": (first, second)}))

    row = re.findall(r'<tr id="step-\d+">.*?</tr>', html)[0]
    assert '<td class="number">0.4669</td><td class="number">0.4995</td>' in row
    assert html.count(LATE_LABELS) == 1


def test_the_page_says_which_days_are_told() -> None:
    """The story has an end before that of the year, and its first lines name both ends."""
    assert "out of New York from 1 April to 14 April 2013, and" in story_page.to_html(story())


@pytest.mark.parametrize(("gate", "against"), [("pass", False), ("block", True)])
def test_a_release_against_advice_is_no_tick(gate: str, *, against: bool) -> None:
    """Contents, flag, caption and badge say in words and shape what the gate had advised."""
    html = story_page.to_html(story(gate=gate))

    contents, body = html.split("</nav>")
    stop = next(one for one in contents.split("<li") if "delay@v1.0.0 is released" in one)
    caption = body.split("<figcaption>")[1].split("</figcaption>")[0]
    assert ("released against the gate&#x27;s advice" in stop) == against
    assert ('class="dot warning"' in stop) == against
    assert (">v1.0.0 ▲<" in body) == against
    assert ("▲ delay@v1.0.0 was released against the gate&#x27;s advice" in caption) == against
    assert ("</svg>against advice</span>" in body) == against
