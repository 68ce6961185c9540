"""Which account acts, and what follows from it, in words."""

from ml_gitops.account import Account

APP = (
    "give the workflows the token of a GitHub App (`actions/create-github-app-token`) as "
    "ML_GITOPS_TOKEN"
)


def account_text(account: Account) -> str:
    """Say whose token is used, and what the forge does about that."""
    match account.kind:
        case "local":
            return "a forge on this machine; it needs no token"
        case "app":
            return f"the token of the app {account.login}; its pull requests start workflows"
        case "person":
            return (
                f"a token of {account.login}; what the bot does stands under that name, and "
                f"{account.login} cannot approve it"
            )
    if account.hosted:
        return (
            "a job's own token; the workflows of its pull requests wait until somebody with "
            "write access approves them"
        )
    return "a job's own token; its pull requests start no workflow"


def account_note(account: Account) -> str:
    """Return what the body of a bot's pull request says of that; nothing where nothing follows."""
    if account.kind in ("local", "app"):
        return ""
    if account.kind == "person":
        return f"*Opened with a token of `{account.login}`, who cannot approve it.*"
    if account.hosted:
        return (
            "*Opened with a job's own token: its workflows wait until somebody with write access "
            "presses “Approve workflows to run”.*"
        )
    return "*Opened with a job's own token: push to its branch, or reopen it, to start workflows.*"
