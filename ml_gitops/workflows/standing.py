"""What a judgement stands on besides the run: the champion, the gate, the checks, the base."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ml_gitops import __version__
from ml_gitops.config import Config, parse_config
from ml_gitops.data.lock import DataLock, Split
from ml_gitops.delivery.release import Release
from ml_gitops.document import Missing, canonical_json, sha256
from ml_gitops.errors import MlGitopsError
from ml_gitops.model.input_changes import differing
from ml_gitops.names import CHECKS_FOLDER, CONFIG_FILE, LOCK_FILE, MODEL_FILE
from ml_gitops.ports import Files, Forge
from ml_gitops.report import Basis, Standing, policy_digest
from ml_gitops.serving.signature import Signature
from ml_gitops.workflows.check_changes import SETTINGS, check_changes, deciding_parts
from ml_gitops.workflows.registry import kept_file, read_release, served


@dataclass(frozen=True)
class Champion:
    """The release that a candidate must not be worse than, with its files.

    Attributes:
        refused: why it must not judge this holdout; empty if it may.
    """

    release: Release
    model: bytes
    signature: bytes
    refused: str = ""


def find_champion(config: Config, forge: Forge | None, cut: Split) -> Champion | Missing:
    """Return the release that the champion's environment serves.

    Args:
        forge: where releases are; None if there is none.
        cut: a champion that learned from rows of this holdout is refused, as is one whose
            files are gone.
    """
    if config.sampled:
        return Missing(reason="what serves is compared on the real data, and this is the sample")
    if forge is None:
        return Missing(reason="there is no forge to read releases from")
    state = served(forge, config.gate.champion)
    if isinstance(state, Missing):
        return state
    release = read_release(forge, state.tag)
    refused = ""
    if release.trained.until > cut.holdout.start:
        refused = (
            f"it learned from days up to {release.trained.until}, so it has seen rows of the "
            f"holdout {cut.holdout}"
        )
    names = (MODEL_FILE, Signature.file_name)
    model, signature = (kept_file(forge, release, name) for name in names)
    if model is None or signature is None:
        refused = f"its release has lost its {names[0] if model is None else names[1]}"
    return Champion(release, model or b"", signature or b"", refused)


def find_standing(config: Config, workspace: Files, champion: Champion | Missing) -> Standing:
    """Return who and what judges a run of this work tree."""
    rival = champion.release.to_json() if isinstance(champion, Champion) else champion.reason
    checks = canonical_json(deciding_parts(check_files(workspace)))
    return Standing(
        champion=sha256(rival.encode()),
        gate=policy_digest(config.gate),
        checks=sha256(checks.encode()),
        product=__version__,
    )


def find_basis(
    config: Config, workspace: Files, forge: Forge | None, champion: Champion | Missing
) -> Basis:
    """Return what a run of this work tree is judged by, beside what the base branch has."""
    return Basis(
        standing=find_standing(config, workspace, champion),
        base_lock=_base_lock(forge),
        gate_changes=tuple(_gate_changes(config, forge)),
        check_changes=_check_changes(workspace, forge),
    )


def _base_lock(forge: Forge | None) -> DataLock | Missing:
    """Return the lock of the default branch: what the data of this change is compared with."""
    content = forge.read(LOCK_FILE, ref=forge.default_branch) if forge else None
    if content is None:
        return Missing(reason="the default branch has no data lock yet")
    try:
        return DataLock.from_json(content, where=LOCK_FILE)
    except MlGitopsError:
        return Missing(reason="the default branch has no data lock that can be read")


def _gate_changes(config: Config, forge: Forge | None) -> Iterator[str]:
    """Name what differs between this gate and that of the default branch."""
    content = forge.read(CONFIG_FILE, ref=forge.default_branch) if forge else None
    if content is None:
        return
    try:
        base = parse_config(content).gate.model_dump(mode="json")
    except MlGitopsError:
        yield "the default branch has no gate that can be read"
        return
    yield from differing(config.gate.model_dump(mode="json"), base)


def _check_changes(workspace: Files, forge: Forge | None) -> tuple[str, ...]:
    """Name what differs between these checks and those of the default branch."""
    if forge is None or forge.head(forge.default_branch) is None:
        return ()
    base = forge.files(CHECKS_FOLDER, *SETTINGS, ref=forge.default_branch)
    return check_changes(base, check_files(workspace))


def check_files(workspace: Files) -> Mapping[str, bytes]:
    """Return path and content of the author's checks and of pytest's settings."""
    return workspace.files(CHECKS_FOLDER, *SETTINGS)
