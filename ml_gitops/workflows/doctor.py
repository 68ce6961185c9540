"""The forge: which account acts, what follows from that, and what the repository leaves open."""

from collections.abc import Iterator
from datetime import date

from ml_gitops.account import Account, ForgeRules
from ml_gitops.render.account_note import APP, account_text
from ml_gitops.status import REVIVE, Pulse
from ml_gitops.workflows.finding import Finding

_ACTIONS = "Settings, Actions, General, Workflow permissions"


def diagnose(account: Account, rules: ForgeRules, branch: str) -> list[Finding]:
    """Say what works with this account and these rules, and how to better the rest.

    Args:
        branch: the default one.
    """
    said = account_text(account)
    if account.kind == "local":
        return [Finding(state="pass", what="token", text=said)]
    whose = Finding(state="pass", what="token", text=said)
    if account.kind != "app":
        whose = Finding(state="warn", what="token", text=said, remedy=APP)
    return [whose, *_jobs(account, rules), *_branch(rules, branch), *_unseen(rules)]


def diagnose_pulse(pulse: Pulse, today: date) -> list[Finding]:
    """Say whether the monitor still lives, where there is something for it to watch."""
    overdue = pulse.overdue(today)
    if overdue:
        return [Finding(state="warn", what="monitor", text=overdue, remedy=REVIVE)]
    return [_passed("monitor", f"it looked on {pulse.looked}")] if pulse.looked else []


def _jobs(account: Account, rules: ForgeRules) -> Iterator[Finding]:
    if rules.jobs_propose is False:
        yield Finding(
            state="fail" if account.kind == "job" else "warn",
            what="workflow permissions",
            text="jobs may not open pull requests, so no monitor can propose anything",
            remedy=f"tick “Allow GitHub Actions to create and approve pull requests” in {_ACTIONS}",
        )
    elif rules.jobs_propose:
        yield _passed("workflow permissions", "jobs may open pull requests")
    if rules.jobs_write:
        yield Finding(
            state="warn",
            what="workflow permissions",
            text="a job may write unless its workflow says otherwise, and it runs your code",
            remedy=f"choose “Read repository contents and packages permissions” in {_ACTIONS}",
        )
    elif rules.jobs_write is False:
        yield _passed("workflow permissions", "a job may only read unless its workflow says so")


def _branch(rules: ForgeRules, branch: str) -> Iterator[Finding]:
    if rules.protected is False:
        yield Finding(
            state="warn",
            what=branch,
            text="it is not protected: who may push can release without a pull request",
            remedy="require a pull request with one approval, and the check of the report, in "
            "Settings, Rules",
        )
    elif rules.protected:
        yield _passed(branch, "it is protected")
    if rules.approvals == 0 and rules.protected:
        yield Finding(
            state="warn",
            what=branch,
            text="nobody has to approve a merge, not even of what the bot proposes",
            remedy="require one approval in Settings, Rules",
        )
    elif rules.approvals:
        people = "1 person" if rules.approvals == 1 else f"{rules.approvals} people"
        yield _passed(branch, f"{people} must approve a merge")


def _unseen(rules: ForgeRules) -> Iterator[Finding]:
    """Name what this account may not see: what is not known is neither well nor ill."""
    names = {
        "whether jobs may open pull requests": rules.jobs_propose,
        "what jobs may do by default": rules.jobs_write,
        "whether the branch is protected": rules.protected,
        "how many must approve": rules.approvals,
    }
    hidden = [name for name, known in names.items() if known is None]
    if hidden:
        yield Finding(
            state="warn",
            what="not seen",
            text=f"this token may not see {', '.join(hidden)}",
            remedy="run `ml-gitops doctor` once with the token of an administrator",
        )


def _passed(what: str, text: str) -> Finding:
    return Finding(state="pass", what=what, text=text)
