"""What was released and what is served, read from the forge: tags, releases, desired state."""

from datetime import date
from difflib import get_close_matches

from ml_gitops.data.lock import DataLock
from ml_gitops.delivery.deployment import (
    Assigned,
    DeploymentState,
    history,
    previous_release,
    state_path,
)
from ml_gitops.delivery.release import Release
from ml_gitops.delivery.version import latest, release_tag
from ml_gitops.document import Missing, sha256
from ml_gitops.errors import DocumentError, ForgeError, MlGitopsError
from ml_gitops.names import LOCK_FILE
from ml_gitops.ports import Forge


def latest_release(forge: Forge, model: str) -> Release | Missing:
    """Return the newest finished release of a model."""
    pages = {page.tag for page in forge.releases()}
    version = latest(model, pages)
    if version is None:
        return Missing(reason=f"{model} has no release yet")
    return read_release(forge, release_tag(model, version))


def read_release(forge: Forge, tag: str) -> Release:
    """Read the record of a release.

    Raises:
        ForgeError: there is no such release, or its record is gone.
    """
    content = forge.asset(tag, Release.file_name)
    if content is None:
        known = [page.tag for page in forge.releases()]
        if tag not in known:
            near = ", ".join(get_close_matches(tag, known, n=5, cutoff=0.0))
            raise ForgeError(
                f"there is no release {tag}",
                hint=f"name one of {near}" if near else "merge a model and run `ml-gitops release`",
                where=forge.address,
            )
        raise ForgeError(
            f"the release {tag} has no {Release.file_name}",
            hint="restore its page; nothing is served without its record",
            where=forge.address,
        )
    return Release.from_json(content, where=f"{tag}/{Release.file_name}")


def kept_file(forge: Forge, release: Release, name: str) -> bytes | None:
    """Return a file of a release, held to the digest it was released with; None if it is gone.

    Raises:
        ForgeError: it is not the file that was released.
    """
    content = forge.asset(release.tag, name)
    if content is not None and sha256(content) != release.files.get(name):
        raise _unlike(forge, release, f"has another {name} than was released")
    return content


def released_file(forge: Forge, release: Release, name: str) -> bytes:
    """Return a file of a release, held to the digest it was released with.

    Raises:
        ForgeError: it is gone, or is not the file that was released.
    """
    content = kept_file(forge, release, name)
    if content is None:
        raise _unlike(forge, release, f"has lost its {name}")
    return content


def _unlike(forge: Forge, release: Release, problem: str) -> ForgeError:
    return ForgeError(
        f"the release {release.tag} {problem}",
        hint="release again; nothing is served or compared that differs from its record",
        where=forge.address,
    )


def served(forge: Forge, environment: str) -> DeploymentState | Missing:
    """Return the desired state of an environment, as the default branch has it."""
    path = state_path(environment)
    content = forge.read(path, ref=forge.default_branch)
    if content is None:
        return Missing(reason=f"nothing was ever deployed to {environment}")
    state = DeploymentState.from_json(content, where=path)
    if state.environment != environment:
        raise DocumentError(
            f"it is the state of {state.environment}",
            hint="revert the commit that changed it",
            where=path,
        )
    return state


def assigned(forge: Forge, model: str, environment: str) -> list[Assigned]:
    """Return what an environment served, oldest first, by its assignment tags."""
    named = [(tag.name, tag.message.partition("\n")[0]) for tag in forge.tags()]
    return history(model, environment, named)


def release_before(forge: Forge, model: str, environment: str) -> str | None:
    """Return the tag of the release an environment served before the current one."""
    current = served(forge, environment)
    if isinstance(current, Missing):
        return None
    return previous_release(assigned(forge, model, environment), current.tag)


def locked_until(forge: Forge, branch: str) -> date | None:
    """Return the day up to which a branch has locked rows; None if it has no sound lock."""
    content = forge.read(LOCK_FILE, ref=branch)
    if content is None:
        return None
    try:
        return DataLock.from_json(content, where=LOCK_FILE).window.until
    except MlGitopsError:
        return None
