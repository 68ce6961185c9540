"""Commits and history of a repository, as Git knows them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from tests.github.git import Git

_PERSON = re.compile(r"(?P<name>.*?) ?<(?P<email>.*)> (?P<seconds>\d+) [+-]\d{4}")


@dataclass(frozen=True)
class Signature:
    """Who wrote a commit, and when."""

    name: str
    email: str
    date: datetime

    def render(self) -> str:
        """Return the signature as Git stores it."""
        clean = re.sub(r"[<>\n\0]", "", self.name).strip() or "nobody"
        return f"{clean} <{self.email}> {int(self.date.timestamp())} +0000"

    @classmethod
    def parse(cls, text: str) -> "Signature":
        """Read a signature as Git stores it."""
        match = _PERSON.match(text)
        assert match is not None, text
        return cls(
            match["name"], match["email"], datetime.fromtimestamp(int(match["seconds"]), UTC)
        )


@dataclass(frozen=True)
class Commit:
    """A commit object."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class TagObject:
    """An annotated tag object."""

    sha: str
    object: str
    type: str
    tag: str
    tagger: Signature
    message: str


def read_commit(git: Git, sha: str) -> Commit | None:
    """Return a commit; None if there is none of this id."""
    found = git.read(sha)
    if found is None or found[0] != "commit":
        return None
    return _parse_commit(sha, found[1])


@lru_cache(4096)
def _parse_commit(sha: str, content: bytes) -> Commit:
    head, _, message = content.decode(errors="replace").partition("\n\n")
    fields = [line.split(" ", 1) for line in head.split("\n") if not line.startswith(" ")]
    single = dict(fields)
    parents = tuple(value for name, value in fields if name == "parent")
    author, committer = (Signature.parse(single[name]) for name in ("author", "committer"))
    # GitHub gives messages without the newline at their end.
    return Commit(sha, single["tree"], parents, author, committer, message.rstrip("\n"))


def write_commit(
    git: Git,
    tree: str,
    parents: Sequence[str],
    message: str,
    author: Signature,
    committer: Signature,
) -> str:
    """Store a commit and return its id."""
    lines = [f"tree {tree}", *(f"parent {it}" for it in parents)]
    lines += [f"author {author.render()}", f"committer {committer.render()}"]
    return git.write("commit", ("\n".join(lines) + "\n\n" + message).encode())


def read_tag(git: Git, sha: str) -> TagObject | None:
    """Return an annotated tag; None if there is none of this id."""
    found = git.read(sha)
    if found is None or found[0] != "tag":
        return None
    head, _, message = found[1].decode(errors="replace").partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.split("\n"))
    tagger = Signature.parse(fields["tagger"])
    return TagObject(
        sha, fields["object"], fields["type"], fields["tag"], tagger, message.rstrip("\n")
    )


def write_tag(git: Git, name: str, target: str, kind: str, message: str, by: Signature) -> str:
    """Store an annotated tag and return its id; no ref names it yet."""
    head = f"object {target}\ntype {kind}\ntag {name}\ntagger {by.render()}"
    return git.write("tag", f"{head}\n\n{message}\n".encode())


def peel(git: Git, sha: str) -> str | None:
    """Return the commit that an object is, or that a tag leads to."""
    while (tag := read_tag(git, sha)) is not None:
        sha = tag.object
    return sha if git.is_a("commit", sha) else None


def contains(git: Git, tip: str, commit: str) -> bool:
    """Whether a commit is the tip or one of its ancestors."""
    return tip == commit or git.succeeds("merge-base", "--is-ancestor", commit, tip)


def merge_base(git: Git, one: str, other: str) -> str | None:
    """Return the best common ancestor; None if there is none."""
    return git.run("merge-base", one, other, accept=(0, 1)).decode().strip() or None


def history(git: Git, tip: str, *, exclude: str = "", path: str = "") -> list[str]:
    """Return commits from the tip down, newest first."""
    return list(_history(git, tip, exclude, path))


@lru_cache(maxsize=1000)
def _history(git: Git, tip: str, exclude: str, path: str) -> tuple[str, ...]:
    # Between two commits it is the same for ever; a process for each question takes time.
    without = [f"^{exclude}"] if exclude else []
    below = ["--", path] if path else ["--"]
    return tuple(git.run("rev-list", tip, *without, *below).decode().split())
