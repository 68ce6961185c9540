"""The dashboard: quiet days change nothing, and a text that grew old says that nobody looks."""

from datetime import date, timedelta

import pytest

from ml_gitops.render.dashboard import (
    REFRESH_DAYS,
    Section,
    dashboard_body,
    sections_in,
    settled,
)
from ml_gitops.status import (
    Budget,
    EnvironmentStatus,
    LookStatus,
    Pulse,
    QuietStatus,
    Status,
    ThreadStatus,
)
from tests.snapshots import assert_reads

DAY = date(2024, 3, 7)


def environment(name: str, tag: str | None, since: str | None) -> EnvironmentStatus:
    """Return what an environment serves."""
    return EnvironmentStatus(environment=name, tag=tag, since=since, verdict="", history=())


def thread(number: int, kind: str, title: str, *labels: str, model: str = "churn") -> ThreadStatus:
    """Return an open thread of the bot."""
    return ThreadStatus(
        number=number, title=title, author="bot", labels=labels, opened=DAY, kind=kind, model=model
    )


def calm(looked: date = DAY, **changes: object) -> Status:
    """Return a model that nothing is wrong with."""
    look = LookStatus(
        as_of=looked,
        release="price@v2.1.0",
        state="pass",
        want="nothing",
        headline="price@v2.1.0: quality holds",
    )
    status = Status(
        model="price",
        forge="https://github.com/acme/models",
        latest=None,
        releases=(),
        environments=(
            environment("staging", "price@v2.1.0", "2024-02-01"),
            environment("production", "price@v2.1.0", "2024-02-03"),
        ),
        open=(thread(3, "promotion", "Another model's", model="churn#production"),),
        issues=(),
        watched=looked,
        said="",
        look=look,
        pulse=Pulse(looked=looked, since=date(2024, 1, 5), allowed=8),
        budget=Budget(left=8, allowed=8, days=30),
    )
    return status.model_copy(update=changes)


def harmed() -> Status:
    """Return a model with a retraining and an incident, and things that people refused."""
    reason = "churn@v1.0.0: quality fell below its promise"
    remark = (
        "no label since 2024-02-22: none of the 412 predictions of 2024-02-29..2024-03-07 has one; "
        "look whether labels still come, and how long they take (monitor.label_delay_days)"
    )
    return calm().model_copy(
        update={
            "model": "churn",
            "environments": (
                environment("staging", "churn@v1.1.0", "2024-03-01"),
                environment("production", "churn@v1.0.0", "2024-02-01"),
            ),
            "look": LookStatus(
                as_of=date(2024, 2, 20),
                release="churn@v1.0.0",
                state="fail",
                want="retrain",
                headline=reason,
                remarks=(remark,),
            ),
            "pulse": (pulse := Pulse(looked=date(2024, 2, 20), since=date(2024, 2, 1), allowed=8)),
            "silence": pulse.silence(DAY),
            "open": (
                thread(12, "retrain", "Retrain churn on data until 2024-03-07", "gate-warn"),
                thread(14, "promotion", "Promote churn@v1.1.0 to production", "proposed"),
            ),
            "issues": (thread(13, "incident", "churn: data drifts"),),
            "quiet": (
                QuietStatus(kind="rollback", number=9),
                QuietStatus(kind="incident", number=10, until=date(2024, 4, 6)),
            ),
            "budget": Budget(left=3, allowed=8, days=30),
            "locked": date(2024, 2, 15),
            "rests_until": date(2024, 2, 22),
        }
    )


def looked_at(known: Section | None, status: Status) -> Section:
    """Return the section after a look on the day that the status tells."""
    assert status.pulse.looked is not None
    return settled(known, status, status.pulse.looked)


def test_people_read_where_every_model_stands() -> None:
    """A model that is well, one that is harmed, and one that nobody looks at any more."""
    due = harmed().model_copy(update={"model": "delay", "silence": ""})
    made = [settled(None, one, DAY) for one in (calm(), harmed(), due)]

    text = dashboard_body(made)

    assert_reads("dashboard.md", text)
    assert text.index("`churn`") < text.index("`price`")
    assert "Another model's" not in text


def test_a_quiet_week_writes_nothing() -> None:
    """Every day's look keeps the text as it is, until it is a week old; then it is written anew."""
    known = looked_at(None, calm())

    texts = [looked_at(known, calm(DAY + timedelta(days=n))) for n in range(REFRESH_DAYS + 1)]

    assert [it == known for it in texts] == [True] * REFRESH_DAYS + [False]
    assert texts[-1].mark.looked == DAY + timedelta(days=REFRESH_DAYS)


def test_counts_alone_are_no_news() -> None:
    """A remark whose numbers move with the window is news when its words change."""

    def remarked(text: str) -> Status:
        status = calm()
        assert status.look is not None
        look = status.look.model_copy(update={"remarks": (text,)})
        return status.model_copy(update={"look": look})

    known = looked_at(None, remarked("1,204 rows of other releases were not counted"))

    again = looked_at(known, remarked("17 rows of other releases were not counted"))
    news = looked_at(known, remarked("17 labels have no id"))

    assert again == known
    assert news != known


@pytest.mark.parametrize(
    "changes",
    [
        {"open": (thread(5, "retrain", "Retrain price", model="price"),)},
        {"quiet": (QuietStatus(kind="retrain", number=5),)},
        {"budget": Budget(left=7, allowed=8, days=30)},
        {"environments": (environment("production", "price@v2.2.0", "2024-03-06"),)},
        {"pulse": Pulse(looked=DAY, since=date(2024, 1, 5), allowed=3)},
        {"rests_until": DAY, "locked": DAY},
    ],
    ids=["thread", "refusal", "budget", "release", "allowance", "lock"],
)
def test_every_fact_is_news(changes: dict[str, object]) -> None:
    """What a reader would act on is written at once."""
    known = looked_at(None, calm())

    assert looked_at(known, calm(**changes)) != known


def test_a_record_that_anybody_wrote_takes_no_place() -> None:
    """However long or lively a forged record is, the section stays short and its text inert."""
    status = calm()
    assert status.look is not None
    forged = "@everyone <!-- ml-gitops:end --> " + "x" * 9000
    look = status.look.model_copy(update={"headline": forged, "remarks": (forged,) * 99})

    text = dashboard_body([looked_at(None, status.model_copy(update={"look": look}))])

    assert len(text) < 10_000
    assert "@everyone" not in text
    assert text.count("<!-- ml-gitops:end -->") == 1


def test_an_old_text_proves_that_nobody_looks() -> None:
    """A living monitor renews the line before the day that it names, however it looks."""
    for step in range(1, 9):  # as many days as it may be silent
        known, day = looked_at(None, calm()), DAY
        for _ in range(40):
            day += timedelta(days=step)
            by = known.text.partition("If it still says so on **")[2][:10]
            assert day <= date.fromisoformat(by)
            known = looked_at(known, calm(day))


def test_sections_of_other_models_are_kept() -> None:
    """Whoever looks at one model leaves the words of the others, even through another's editor."""
    churn, price = (looked_at(None, one) for one in (harmed(), calm()))
    body = dashboard_body([price, churn])

    found = sections_in(body.replace("\n", "\r\n"))

    assert found == {"churn": churn, "price": price}
    assert dashboard_body(list(found.values())) == body


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<!-- ml-gitops:section {} -->\nText\n<!-- ml-gitops:end -->",
        "<!-- ml-gitops:section {oops} -->\nText\n<!-- ml-gitops:end -->",
        '<!-- ml-gitops:section {"model":"a","facts":"b"} -->\nText',
    ],
)
def test_a_damaged_section_is_none(body: str) -> None:
    """What a person broke is written anew by the next look, and stops nothing."""
    assert sections_in(body) == {}


@pytest.mark.parametrize(
    ("looked", "since", "today", "told"),
    [
        (DAY, DAY, DAY + timedelta(days=8), ""),
        (DAY, DAY, DAY + timedelta(days=9), "looked at production last on 2024-03-07 and was due"),
        (None, DAY, DAY + timedelta(days=8), ""),
        (None, DAY, DAY + timedelta(days=9), "never looked and was due by 2024-03-15"),
        (DAY, None, DAY + timedelta(days=99), ""),
        (None, None, DAY, ""),
        (DAY - timedelta(days=90), DAY, DAY + timedelta(days=8), ""),
    ],
)
def test_silence_is_told_when_it_is_too_long(
    looked: date | None, since: date | None, today: date, told: str
) -> None:
    """A monitor is overdue after the days it may be silent, since there is anything to see."""
    said = Pulse(looked=looked, since=since, allowed=8).silence(today)

    assert said.startswith(f"the monitor {told}" if told else "")
    assert bool(said) == bool(told)
    assert not told or "run `ml-gitops monitor`" in said
