"""Which tag a release gets: the next version's, or the one that a crash of ours left behind."""

from ml_gitops.config import Config
from ml_gitops.data.lock import DataLock
from ml_gitops.delivery.release import Release
from ml_gitops.delivery.version import FIRST, Bump, Version, parse_release, release_tag
from ml_gitops.document import Missing, sha256
from ml_gitops.errors import DocumentError, ForgeError, GitError, MlGitopsError, TryAgain
from ml_gitops.model.lineage import Lineage, data_digest
from ml_gitops.names import LOCK_FILE
from ml_gitops.ports import Forge, Tag
from ml_gitops.render.tables import unlinked

_RUN = "run "
"""What stands before the run key in the message of a release's tag."""


def next_version(
    config: Config, forge: Forge, before: Release | Missing, bump: Bump, lineage: Lineage
) -> Version:
    """Return the first version that no other run has taken, finished or not.

    A tag of this very run is what a crash left: the release goes on under it.

    Args:
        before: the newest release.
        bump: how much this one changes.
        lineage: of this one.
    """
    version = _version(before).next(bump) if isinstance(before, Release) else FIRST
    taken = {tag.name: tag for tag in forge.tags()}
    while (tag := taken.get(release_tag(config.model.name, version))) is not None:
        if _is_of(tag, config, forge, lineage):
            break
        version = version.next(bump)
    return version


def claim_tag(config: Config, forge: Forge, release: Release) -> str:
    """Create the tag of a release, or find it; return the commit that it names.

    Raises:
        TryAgain: another delivery has just taken it.
    """
    standing = _standing(config, forge, release)
    if standing is not None:
        # A crash came between tag and page; the default branch may have moved on since.
        return standing.commit
    said = f"{release.tag}\n\n{unlinked(release.verdict)}\n\n{_RUN}{release.run_key}"
    try:
        return forge.create_tag(release.tag, release.commit, said).commit
    except (ForgeError, GitError):
        if all(tag.name != release.tag for tag in forge.tags()):
            raise
        raise TryAgain(
            f"another delivery took {release.tag} at this moment",
            hint="run `ml-gitops release` again",
        ) from None


def run_of(tag: Tag) -> str | None:
    """Return the key of the run that the tag of a release names; None if it names none."""
    named = [line for line in tag.message.split("\n") if line.startswith(_RUN)]
    return named[-1].removeprefix(_RUN) if named else None


def _standing(config: Config, forge: Forge, release: Release) -> Tag | None:
    """Return the tag of a release, if it is there and ours."""
    named = (tag for tag in forge.tags() if tag.name == release.tag)
    return next((tag for tag in named if _is_of(tag, config, forge, release.lineage)), None)


def _is_of(tag: Tag, config: Config, forge: Forge, lineage: Lineage) -> bool:
    """Say whether a tag names this run at a commit that was merged and holds it.

    Anybody who may push can write a message; a commit of the default branch that holds the
    very sources, parameters and rows of the run cannot be made up.
    """
    if f"{_RUN}{lineage.run_key}" not in tag.message.split("\n") or not forge.landed(tag.commit):
        return False
    read = {path: forge.read(path, ref=tag.commit) or b"" for path in lineage.sources}
    params = forge.read(config.model.params, ref=tag.commit) or b""
    try:
        lock = DataLock.from_json(forge.read(LOCK_FILE, ref=tag.commit) or b"", where=LOCK_FILE)
    except MlGitopsError:
        return False
    return (
        {path: sha256(content) for path, content in read.items()} == lineage.sources
        and sha256(params) == lineage.params
        and data_digest(lock) == lineage.data_lock
    )


def _version(release: Release) -> Version:
    parsed = parse_release(release.tag)
    if parsed is None:
        raise DocumentError(
            f"{release.tag!r} is no release tag",
            hint="restore the release page",
            where=Release.file_name,
        )
    return parsed[1]
