"""`release`, `promote`, `rollback`, `serve`: the commands of a merge and after."""

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ml_gitops.adapters import bento
from ml_gitops.cli.setting import Setting
from ml_gitops.cli.tell import tell_proposal, tell_tended
from ml_gitops.delivery.deployment import state_path
from ml_gitops.delivery.release import BENTO_FILE, Release
from ml_gitops.delivery.version import parse_assignment
from ml_gitops.document import Missing
from ml_gitops.errors import EXIT_PASSED, DocumentError, ForgeError
from ml_gitops.ports import Forge
from ml_gitops.pull_request import Action, PullRequest
from ml_gitops.render.runner import Annotation
from ml_gitops.render.terminal import Terminal
from ml_gitops.serving.signature import Signature, example_features
from ml_gitops.workflows.cd import Delivered, deliver
from ml_gitops.workflows.ci import train as train_candidate
from ml_gitops.workflows.dashboard import tend
from ml_gitops.workflows.promotion import promote as propose_promotion
from ml_gitops.workflows.registry import read_release, released_file, served
from ml_gitops.workflows.rollback import roll_back
from ml_gitops.workflows.status import silence


def release(parsed: argparse.Namespace) -> int:
    """Ship what was reviewed."""
    setting = Setting(parsed)
    forge = setting.forge()

    def train_again() -> Mapping[str, bytes]:
        trained = train_candidate(
            setting.config, setting.workspace, forge, setting.warehouse, setting.terminal
        )
        return trained.kept.files

    with setting.terminal as terminal:
        done = deliver(
            setting.config,
            setting.workspace,
            setting.repository,
            forge,
            bento,
            terminal,
            train_again if parsed.train else None,
        )
        records, today = setting.records(), setting.today()
        tended = tend(setting.config, forge, records, today)
        unwatched = silence(setting.config, forge, records, today)

    def tell(terminal: Terminal) -> None:
        _tell_delivered(terminal, done)
        tell_tended(terminal, tended)
        if unwatched:
            terminal.status("warn", unwatched)
        if done.staged not in (None, setting.repository.head()):
            terminal.line("  next: `git pull`, which brings the commit that stages it")

    warned = [Annotation("warning", it) for it in (unwatched, tended.obstacle) if it]
    setting.show(done, tell, annotations=warned)
    return EXIT_PASSED


def promote(parsed: argparse.Namespace) -> int:
    """Propose a release to an environment."""
    setting = Setting(parsed)
    proposal, action = propose_promotion(setting.config, setting.forge(), parsed.to, insist=True)
    _show_proposal(setting, proposal, action)
    return EXIT_PASSED


def rollback(parsed: argparse.Namespace) -> int:
    """Propose an earlier release to an environment."""
    setting = Setting(parsed)
    _hold_environment(setting, parsed.environment)
    proposal, action = roll_back(setting.config, setting.forge(), parsed.environment, to=parsed.to)
    _show_proposal(setting, proposal, action)
    return EXIT_PASSED


def serve(parsed: argparse.Namespace) -> int:
    """Serve what an environment should serve, until interrupted."""
    from ml_gitops.adapters.server import free_port
    from ml_gitops.adapters.server import serve as start

    setting = Setting(parsed)
    forge = setting.forge()
    if parsed.release:
        tag = parsed.release
        model = setting.config.model.name
        chosen = read_release(forge, tag if "@" in tag else f"{model}@{tag}")
    else:
        chosen = _release_of(setting, forge, parsed.environment)
    port = free_port(parsed.host, parsed.port)  # Before anything is fetched for nothing.
    archive = released_file(forge, chosen, BENTO_FILE)
    log = parsed.log.resolve() if parsed.log else _log_folder(setting)
    signature = Signature.from_json(
        released_file(forge, chosen, Signature.file_name), where=chosen.tag
    )
    example = json.dumps({"id": "your-own", "features": example_features(signature)})
    setting.terminal.step(f"Starting {chosen.tag}")
    with (
        setting.terminal,
        # Never from a folder that was there before: only what was just held to its digest runs.
        tempfile.TemporaryDirectory(prefix="ml-gitops-bento-") as scratch,
        start(
            _unpacked(archive, Path(scratch) / "bento"),
            port=port,
            host=parsed.host,
            log_dir=log,
            replay=parsed.replay,
        ) as service,
    ):
        told = {"release": chosen.tag, "address": service.url, "log": str(log) if log else None}

        def tell(terminal: Terminal) -> None:
            terminal.status("pass", f"{chosen.tag} answers at {service.url}")
            terminal.line(f"  its page: {service.url}")
            terminal.line(f"  try it: curl {service.url}/predict --json '{example}'")
            terminal.line(f"  prediction log: {log or 'off (name a folder with --log)'}")
            terminal.line("  labels are joined by your own id; without one, none can be")
            terminal.line("  after a promotion or rollback, stop it and start it again")

        setting.show(told, tell)
        service.wait(setting.terminal.line)
    return EXIT_PASSED


def _hold_environment(setting: Setting, environment: str) -> None:
    known = setting.config.delivery.environments
    if environment not in known:
        raise ForgeError(
            f"there is no environment {environment!r}",
            hint=f"name one of {', '.join(known)}",
            where="--environment",
        )


def _release_of(setting: Setting, forge: Forge, environment: str) -> Release:
    """Return the release that an environment should serve."""
    _hold_environment(setting, environment)
    state = served(forge, environment)
    if isinstance(state, Missing):
        raise ForgeError(state.reason, hint=f"promote a release to {environment} first")
    chosen = read_release(forge, state.tag)
    if state.bento_digest != chosen.files.get(BENTO_FILE):
        raise DocumentError(
            f"it names another Bento than {chosen.tag} was released with",
            hint="revert the commit that changed it",
            where=state_path(environment),
        )
    return chosen


def _log_folder(setting: Setting) -> Path | None:
    """Return the folder that the monitor reads, if it is one of this machine."""
    folder = Path(setting.config.monitor.log).parent
    if "://" in setting.config.monitor.log or "*" in str(folder):
        return None
    return setting.workspace.root / folder


def _unpacked(archive: bytes, folder: Path) -> Path:
    """Unpack a Bento into a folder and return it."""
    bento.unpack(archive, folder)
    return folder


def _tell_delivered(terminal: Terminal, done: Delivered) -> None:
    chosen = done.release
    if done.is_new:
        against = chosen.gate == "block"
        told = f"released {chosen.tag}{' against the advice of the gate' if against else ''}"
        terminal.status("warn" if against else "pass", f"{told}: {chosen.verdict}")
        for one in chosen.differences:
            terminal.line(f"  differs from the release before: {one}")
        for doubt in chosen.doubts:
            terminal.status("warn", doubt)
    else:
        terminal.status("keep", f"{chosen.tag} is what is here; nothing to release")
    for tag in done.assigned:
        terminal.status("pass", f"recorded {tag}")
        assignment = parse_assignment(tag)
        if assignment is not None:
            start = f"`ml-gitops serve --environment {assignment.environment}`"
            terminal.line(f"  a running server does not follow: stop it, then {start}")
    if done.action is not None:
        tell_proposal(terminal, done.promotion, done.action)


def _show_proposal(setting: Setting, proposal: PullRequest | None, action: Action) -> None:
    outcome = {"action": type(action).__name__.lower(), "pull_request": proposal}
    setting.show(outcome, lambda terminal: tell_proposal(terminal, proposal, action))
