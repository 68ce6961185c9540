"""What a secret looks like: by form, and by the name of its variable."""

import re

import pytest

from ml_gitops.secret import FORM, secret_values


@pytest.mark.parametrize(
    "text",
    [
        "ghp_" + "a" * 36,
        "github_pat_" + "a" * 22,
        "glpat-" + "a" * 20,
        "xoxb-" + "1" * 10,
        "ASIA" + "A" * 16,
        "eyJ" + "a" * 20,
        "-----BEGIN PRIVATE KEY-----\nabc",
    ],
)
def test_a_secret_is_known_by_its_form(text: str) -> None:
    """Tokens of forges, chats and clouds, and keys, are found whole wherever they stand."""
    found = re.search(FORM, f"before {text}")

    assert found
    assert found[0] == text


@pytest.mark.parametrize("text", ["ASIA_PACIFIC_REVENUE", "sha256:" + "ab" * 32, "ghp_short"])
def test_words_of_a_report_are_no_secret(text: str) -> None:
    """A feature, a digest and a mention of a prefix may be told."""
    assert not re.search(FORM, text)


def test_a_variable_is_secret_by_its_name() -> None:
    """Tokens and passwords are secret; who wrote a commit, and what is short, is not."""
    variables = {
        "API_TOKEN": "longenough",
        "NPM_AUTH": "alsolongenough",
        "GIT_AUTHOR_NAME": "Ada Lovelace",
        "SORT_KEY": "day",
    }

    assert [*secret_values(variables)] == ["longenough", "alsolongenough"]
