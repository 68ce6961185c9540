"""Desired state: which release an environment should serve, one file per environment.

The history of an environment is not written here: `git log -p` of the file is
the audit trail, and the assignment tags are its index.
"""

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field, field_validator

from ml_gitops.delivery.release import Release
from ml_gitops.delivery.version import NAME, assignments, is_name
from ml_gitops.document import Digest, Document, Part


class DeliveryPolicy(Part):
    """How releases travel; table `[delivery]`."""

    environments: tuple[str, ...] = Field(default=("staging", "production"), min_length=1)
    """In order: CD commits to the first and proposes the second by pull request; to every later one
    `ml-gitops promote` proposes what the one before it serves."""

    @field_validator("environments")
    @classmethod
    def _different_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not is_name(name):
                raise ValueError(
                    f"{name!r} cannot stand in a tag; use small letters, digits and single "
                    "hyphens, starting with a letter"
                )
        if len(set(names)) < len(names):
            raise ValueError("an environment is named twice; name each once")
        return names


class DeploymentState(Document):
    """The release that an environment should serve.

    Attributes:
        environment: which one.
        model, version, tag: the release.
        model_digest: digest of its ONNX file.
        bento_digest: digest of its Bento.
    """

    file_name: ClassVar[str] = "deployment.json"

    environment: str = Field(pattern=f"^{NAME}$")
    model: str
    version: str
    tag: str
    model_digest: Digest
    bento_digest: Digest


def state_path(environment: str) -> str:
    """Return the path of an environment's desired state."""
    return f"deployments/{environment}.json"


def deploy(release: Release, environment: str, bento_digest: str) -> DeploymentState:
    """Return the state in which an environment serves a release."""
    return DeploymentState(
        environment=environment,
        model=release.model,
        version=release.version,
        tag=release.tag,
        model_digest=release.model_digest,
        bento_digest=bento_digest,
    )


class Assigned(Part):
    """One entry of an environment's history: its number, and the release it put there."""

    number: int
    tag: str


def history(model: str, environment: str, tags: Iterable[tuple[str, str]]) -> list[Assigned]:
    """Return what an environment served, oldest first.

    Args:
        model, environment: whose history.
        tags: name of each tag and the release it assigned.
    """
    releases = dict(tags)
    counted, _ = assignments(model, environment, releases)
    return [Assigned(number=one.number, tag=releases[str(one)]) for one in counted]


def previous_release(entries: list[Assigned], current: str) -> str | None:
    """Return the release that an environment served before the current one, if any.

    A release that was rolled back from is not gone back to: after `1, 2, 1` the
    one before is not `2` but what stood before the first `1`.
    """
    first = next((i for i, entry in enumerate(entries) if entry.tag == current), len(entries))
    before = entries[:first]
    return before[-1].tag if before else None
