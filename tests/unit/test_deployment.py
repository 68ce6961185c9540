"""Desired state and its history: what serves, what served, and what to go back to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ml_gitops.delivery.deployment import (
    Assigned,
    DeliveryPolicy,
    DeploymentState,
    history,
    previous_release,
    state_path,
)
from ml_gitops.document import sha256

RELEASES = [f"churn@v1.{n}.0" for n in range(4)]
SERVED = st.lists(st.sampled_from(RELEASES), max_size=12)


def entries(*served: str) -> list[Assigned]:
    """Return a history that put these releases there, one after the other."""
    return [Assigned(number=n, tag=tag) for n, tag in enumerate(served, 1)]


@given(SERVED, st.randoms(use_true_random=False))
def test_history_is_the_assignments_in_their_order(served: list[str], chance: object) -> None:
    """Tags come in any order, and those of others are left out."""
    tags = [(f"churn#production#{n}", tag) for n, tag in enumerate(served, 1)]
    others = [
        ("churn#staging#1", RELEASES[0]),
        ("other#production#99", "other@v1.0.0"),
        ("churn@v1.0.0", "Release"),
    ]
    mixed = [*tags, *others]
    chance.shuffle(mixed)  # type: ignore[attr-defined]

    assert history("churn", "production", mixed) == entries(*served)


def test_ten_comes_after_nine() -> None:
    """Numbers are ordered as numbers, not as text."""
    tags = [(f"churn#production#{n}", f"churn@v1.{n}.0") for n in (10, 9, 1)]

    assert [one.number for one in history("churn", "production", tags)] == [1, 9, 10]


@given(SERVED)
def test_the_release_before_served_before_and_is_another(served: list[str]) -> None:
    """It stood in the history ahead of the first time that the current one came."""
    current = served[-1] if served else RELEASES[0]

    found = previous_release(entries(*served), current)

    earlier = served[: served.index(current)] if served else []
    assert found != current
    assert found == (earlier[-1] if earlier else None)


@given(SERVED.filter(bool))
def test_going_back_again_and_again_ends(served: list[str]) -> None:
    """Rollback after rollback never comes back to a release that was left: it goes down to none."""
    seen = [served[-1]]
    log = list(served)

    while (before := previous_release(entries(*log), log[-1])) is not None:
        assert before not in seen
        seen.append(before)
        log.append(before)

    assert log[-1] == served[0]


@pytest.mark.parametrize(
    ("served", "current", "expected"),
    [
        ([], "a", None),
        (["a"], "a", None),
        (["a", "b"], "b", "a"),
        (["a", "b", "a"], "a", None),
        (["a", "b", "c", "b"], "b", "a"),
        (["a", "b"], "c", "b"),
        (["a", "a", "b"], "b", "a"),
    ],
)
def test_examples_of_going_back(served: list[str], current: str, expected: str | None) -> None:
    """After `a, b, a` nothing is left to go back to; a release not yet recorded comes after all."""
    assert previous_release(entries(*served), current) == expected


def state(**changes: str) -> DeploymentState:
    """Return the state of production with some keys changed."""
    usual = {
        "environment": "production",
        "model": "churn",
        "version": "v1.0.0",
        "tag": "churn@v1.0.0",
        "model_digest": sha256(b"onnx"),
        "bento_digest": sha256(b"bento"),
    }
    return DeploymentState.model_validate({**usual, **changes})


def test_a_state_round_trips() -> None:
    """The file under `deployments/` reads back as it was written."""
    assert DeploymentState.from_json(state().to_json(), where=state_path("production")) == state()
    assert state_path("production") == "deployments/production.json"


@pytest.mark.parametrize("changes", [{"environment": "../x"}, {"bento_digest": "latest"}])
def test_a_state_names_digests_and_real_environments(changes: dict[str, str]) -> None:
    """A floating name or a path for an environment is refused."""
    with pytest.raises(ValidationError):
        state(**changes)


@pytest.mark.parametrize("names", [(), ("Prod",), ("a", "a"), ("a/b",), ("staging", ""), ("a\n",)])
def test_environments_that_no_tag_could_name_are_refused(names: tuple[str, ...]) -> None:
    """At least one, each once, each a name."""
    with pytest.raises(ValidationError):
        DeliveryPolicy(environments=names)
