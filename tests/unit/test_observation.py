"""A look at production: what came and comes no more is told, and is never calm."""

import pytest

from ml_gitops.monitoring.observation import Observation
from tests.unit.test_pages import observation


def look(requests: tuple[int, ...], labels: tuple[int, ...], *, late: float = 0.5) -> Observation:
    """Return a look at windows with so many requests, and so many of their labels."""
    seen, _ = observation(late=late)
    (newest,) = seen.drift
    return seen.model_copy(
        update={
            "windows": tuple(
                window.model_copy(update={"predictions": asked, "labelled": known})
                for window, asked, known in zip(seen.windows, requests, labels, strict=True)
            ),
            "drift": tuple(
                newest.model_copy(
                    update={"since": window.since, "until": window.until, "rows": asked}
                )
                for window, asked in zip(seen.windows, requests, strict=True)
            ),
        }
    )


@pytest.mark.parametrize(
    ("requests", "labels", "told"),
    [
        ((9, 9, 9), (9, 9, 9), []),
        ((0, 0, 9), (0, 0, 9), []),
        ((0, 0, 0), (0, 0, 0), []),
        ((9, 9, 9), (0, 0, 0), []),
        ((9, 9, 0), (9, 9, 0), ["no request since 2013-04-15: the days 2013-04-15..2013-04-22"]),
        ((9, 0, 0), (9, 0, 0), ["no request since 2013-04-08"]),
        ((9, 9, 9), (9, 9, 0), ["no label since 2013-04-15: none of the 9 predictions"]),
        ((9, 9, 0), (9, 0, 0), ["no request since 2013-04-15", "no label since 2013-04-08"]),
    ],
    ids=["both", "begun", "never", "no labels yet", "stopped", "long ago", "labels", "all"],
)
def test_what_stopped_is_told_and_not_calm(
    requests: tuple[int, ...], labels: tuple[int, ...], told: list[str]
) -> None:
    """What never began is waited for; what ended is a reason to look, whatever was judged."""
    seen = look(requests, labels)

    assert [it[: len(start)] for it, start in zip(seen.stopped, told, strict=True)] == told
    assert set(seen.stopped) <= set(seen.remarks)
    assert seen.calm == (not told)
    assert seen.state == ("warn" if told else "pass")


def test_what_must_be_done_comes_before_what_stopped() -> None:
    """A retraining or a rollback that is due says so, also where labels stopped."""
    assert look((9, 9, 9), (9, 9, 0), late=0.8).state == "fail"
    assert observation(rollback=True)[0].state == "fail"


def test_nobody_could_judge_is_not_well() -> None:
    """Too few labels are neither good nor bad."""
    seen = look((9, 9, 9), (9, 9, 9))
    health = seen.health.model_copy(update={"verdict": "insufficient"})

    assert seen.model_copy(update={"health": health}).state == "unknown"
