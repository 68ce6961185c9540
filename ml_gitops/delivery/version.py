"""Versions of a model, and the tags that record them in GTO's grammar.

`delay@v1.2.0` registers a version; `delay#production#3` is the third assignment
of a version to an environment. Both are annotated and never move, so existing
GTO clients read the registry and the tags are its history.
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

NAME = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
LONGEST_NAME = 63
"""Characters of a model's name: those of a DNS label, where it ends up when it is deployed."""
_NUMBER = r"(0|[1-9][0-9]{0,8})"
_RELEASE = re.compile(rf"({NAME})@v{_NUMBER}\.{_NUMBER}\.{_NUMBER}")
_ASSIGNMENT = re.compile(rf"({NAME})#({NAME})#([1-9][0-9]{{0,8}})")
FURTHEST = 1_000
"""How far an assignment's number may be ahead of the one before; nobody loses more tags."""

Bump = Literal["major", "minor", "patch"]


class Version(NamedTuple):
    """A model's version: schema of the service, features or pipeline, data."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        """Return the version as `v1.2.0`."""
        return f"v{self.major}.{self.minor}.{self.patch}"

    def next(self, bump: Bump) -> "Version":
        """Return the version after a change of this weight."""
        if bump == "major":
            return Version(self.major + 1, 0, 0)
        if bump == "minor":
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + 1)


FIRST = Version(1, 0, 0)


class Assignment(NamedTuple):
    """The n-th time that a version was assigned to an environment."""

    model: str
    environment: str
    number: int

    def __str__(self) -> str:
        """Return the tag's name."""
        return f"{self.model}#{self.environment}#{self.number}"


def is_name(name: str) -> bool:
    """Say whether a name can stand in a tag: small letters, digits and single hyphens."""
    return re.fullmatch(NAME, name) is not None


def release_tag(model: str, version: Version) -> str:
    """Return the tag that registers a version of a model."""
    return f"{model}@{version}"


def parse_release(tag: str) -> tuple[str, Version] | None:
    """Read `name@v1.2.3`; None if the tag says something else."""
    match = _RELEASE.fullmatch(tag)
    if match is None:
        return None
    name, major, minor, patch = match.groups()
    return name, Version(int(major), int(minor), int(patch))


def parse_assignment(tag: str) -> Assignment | None:
    """Read `name#environment#3`; None if the tag says something else."""
    match = _ASSIGNMENT.fullmatch(tag)
    return Assignment(match[1], match[2], int(match[3])) if match else None


def latest(model: str, tags: Iterable[str]) -> Version | None:
    """Return the highest version of a model among tags."""
    versions = [parsed[1] for tag in tags if (parsed := parse_release(tag)) and parsed[0] == model]
    return max(versions, default=None)


def next_assignment(model: str, environment: str, tags: Iterable[str]) -> Assignment:
    """Return the assignment after the last one of an environment."""
    counted, _ = assignments(model, environment, tags)
    return Assignment(model, environment, counted[-1].number + 1 if counted else 1)


def assignments(
    model: str, environment: str, tags: Iterable[str]
) -> tuple[list[Assignment], list[Assignment]]:
    """Return the assignments of an environment in order: those that were counted, and the others.

    A number far ahead of the one before was made up, and must not use up those that are left.
    """
    ours = sorted(
        parsed
        for tag in tags
        if (parsed := parse_assignment(tag))
        and (parsed.model, parsed.environment) == (model, environment)
    )
    before = 0
    for place, assignment in enumerate(ours):
        if assignment.number > before + FURTHEST:
            return ours[:place], ours[place:]
        before = assignment.number
    return ours, []


def bump_for(changed: Iterable[str], *, same_signature: bool) -> Bump:
    """Say how heavy a change is: callers break, the pipeline changed, or only the data did.

    Args:
        changed: the inputs that differ, in the words of `Lineage.changes_from`.
        same_signature: whether requests and answers keep their form.
    """
    if not same_signature:
        return "major"
    return "patch" if set(changed) <= {"data"} else "minor"
