"""Errors are one line: place, problem, remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_gitops import errors
from ml_gitops.errors import ConfigError, MlGitopsError, ParityError, TryAgain

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, MlGitopsError)
]


def test_an_error_reads_place_problem_remedy() -> None:
    """The line starts with the place and ends with the remedy."""
    error = ConfigError("unknown key 'x'", hint="remove it", where="ml-gitops.toml:3")

    assert str(error) == "ml-gitops.toml:3: unknown key 'x'; remove it"


def test_an_error_without_a_place_starts_with_the_problem() -> None:
    """No place leaves no colon behind."""
    assert str(MlGitopsError("it is late", hint="go home")) == "it is late; go home"


@given(*[st.text()] * 3)
def test_an_error_is_always_one_line(problem: str, hint: str, where: str) -> None:
    """Line breaks and tabs of outside text never break the line."""
    line = str(MlGitopsError(problem, hint=hint, where=where))

    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_exit_codes(kind: type[MlGitopsError]) -> None:
    """A gate ends with 1, what the user can fix with 2, what may pass by itself with 75."""
    expected = {TryAgain: 75, ParityError: 1}.get(kind, 2)

    assert kind("problem", hint="remedy").exit_code == expected
