"""What the doctor says follows from the account and from what the repository allows."""

import pytest

from ml_gitops.account import Account, ForgeRules
from ml_gitops.render.account_note import account_note
from ml_gitops.workflows.doctor import diagnose

JOB = Account("github-actions[bot]", "job", hosted=True)
APP = Account("acme-models[bot]", "app", hosted=True)
ADA = Account("ada", "person", hosted=True)
SOUND = ForgeRules(jobs_propose=True, jobs_write=False, protected=True, approvals=1)


def states(account: Account, rules: ForgeRules) -> list[tuple[str, str]]:
    """Return state and place of every finding."""
    return [(one.state, one.what) for one in diagnose(account, rules, "main")]


def test_an_app_in_a_sound_repository_lacks_nothing() -> None:
    """Everything is as it should be, and nothing is advised."""
    findings = diagnose(APP, SOUND, "main")

    assert {one.state for one in findings} == {"pass"}
    assert not any(one.remedy for one in findings)
    assert account_note(APP) == ""


def test_this_machine_needs_no_token() -> None:
    """A local forge has one finding, which passes."""
    assert states(Account("ada", "local"), ForgeRules()) == [("pass", "token")]


@pytest.mark.parametrize(
    ("account", "text", "note"),
    [
        (JOB, "wait until somebody with write access approves", "Approve workflows to run"),
        (Account("github-actions[bot]", "job"), "start no workflow", "push to its branch"),
        (ADA, "ada cannot approve it", "a token of `ada`"),
    ],
    ids=["github.com", "enterprise", "person"],
)
def test_what_follows_from_a_token_is_said_with_the_way_out(
    account: Account, text: str, note: str
) -> None:
    """The doctor names the consequence and the remedy; the pull request names the consequence."""
    finding = diagnose(account, SOUND, "main")[0]

    assert finding.state == "warn"
    assert text in finding.text
    assert "GitHub App" in finding.remedy
    assert note in account_note(account)


@pytest.mark.parametrize(
    ("account", "rules", "expected"),
    [
        (JOB, {"jobs_propose": False}, ("fail", "workflow permissions")),
        (APP, {"jobs_propose": False}, ("warn", "workflow permissions")),
        (APP, {"jobs_write": True}, ("warn", "workflow permissions")),
        (APP, {"protected": False, "approvals": 0}, ("warn", "main")),
        (APP, {"approvals": 0}, ("warn", "main")),
        (APP, {"approvals": None}, ("warn", "not seen")),
    ],
    ids=range(6),
)
def test_each_setting_that_is_unsafe_is_named_once(
    account: Account, rules: dict[str, bool | int | None], expected: tuple[str, str]
) -> None:
    """One wrong setting is one finding more that does not pass, with a remedy."""
    changed = ForgeRules(**{**vars(SOUND), **rules})  # type: ignore[arg-type]

    found = [one for one in diagnose(account, changed, "main")[1:] if one.state != "pass"]

    assert [(one.state, one.what) for one in found] == [expected]
    assert found[0].remedy
