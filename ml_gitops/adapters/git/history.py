"""What happened in a Git repository: commits, ancestors, differences, tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ml_gitops.adapters.git.repository import BOT_EMAIL, GitRepository, Identity
from ml_gitops.ports import Tag

_FIELDS = "%H%x00%P%x00%an%x00%ae%x00%ad%x00%ce%x00%B"
_NO_DATE = "0 +0000"
"""Of a commit whose date Git itself cannot read."""
_LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
"""No tag of ours is dated later, or not at all; others' are no releases."""
_TAG = "%(refname:strip=2)%00%(objecttype)%00%(*objectname)%00%(taggerdate:unix)%00%(contents)%00"


@dataclass(frozen=True)
class Commit:
    """A commit of the history."""

    id: str
    parents: tuple[str, ...]
    author: Identity
    committer_email: str
    message: str

    @property
    def by_bot(self) -> bool:
        """Whether nobody but our bot had a hand in it."""
        return self.author.email == self.committer_email == BOT_EMAIL


def log(repository: GitRepository, *tips: str, exclude: Sequence[str] = ()) -> list[Commit]:
    """Return the commits that tips reach and excluded ones do not, children first."""
    if not tips:
        return []
    asked = "".join(f"{repository.commit_id(tip)}\n" for tip in dict.fromkeys(tips))
    asked += "".join(f"^{repository.commit_id(name)}\n" for name in exclude)
    done = repository.run(
        "log", "-z", "--topo-order", f"--format={_FIELDS}", "--date=raw", "--stdin", stdin=asked
    )
    fields = done.stdout.decode(errors="replace").split("\0")[:-1]
    return [
        Commit(
            id_, tuple(parents.split()), Identity(name, email, date or _NO_DATE), committer, message
        )
        for id_, parents, name, email, date, committer, message in zip(
            *[iter(fields)] * 7, strict=True
        )
    ]


def merge_base(repository: GitRepository, one: str, other: str) -> str | None:
    """Return the best common ancestor of two refs; None if they share no history."""
    ids = [repository.commit_id(one), repository.commit_id(other)]
    done = repository.run("merge-base", *ids, accept=(0, 1))
    return done.stdout.decode().strip() or None


def is_ancestor(repository: GitRepository, one: str, other: str) -> bool:
    """Return whether one ref is the other, or an ancestor of it."""
    ids = [repository.commit_id(one), repository.commit_id(other)]
    done = repository.run("merge-base", "--is-ancestor", *ids, accept=(0, 1))
    return done.returncode == 0


def folder_tree(repository: GitRepository, commit: str, folder: str) -> str:
    """Return the tree of a folder in a commit; empty if there is no such folder.

    Args:
        folder: with a slash at its end; empty for everything.
    """
    asked = f"{repository.commit_id(commit)}:{folder.rstrip('/')}"
    done = repository.run("rev-parse", "--verify", "--quiet", asked, accept=(0, 1))
    return done.stdout.decode().strip()


def diff(repository: GitRepository, base: str, head: str) -> str:
    """Return what a head changed since it left a base, as a unified diff."""
    start = merge_base(repository, base, head) or repository.commit_id(base)
    return repository.run(
        "diff-tree",
        "-p",
        "-r",
        "-M",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        start,
        repository.commit_id(head),
    ).stdout.decode(errors="replace")


def tags(repository: GitRepository) -> list[Tag]:
    """Return every annotated tag, oldest first; tags of one second by their versions."""
    output = repository.text(
        "for-each-ref",
        f"--format={_TAG}",
        "--sort=version:refname",
        "--sort=taggerdate",
        "refs/tags",
    )
    return [
        Tag(name.lstrip("\n"), commit, message.strip(), datetime.fromtimestamp(int(made), UTC))
        for name, kind, commit, made, message in zip(
            *[iter(output.split("\0")[:-1])] * 5, strict=True
        )
        if kind == "tag" and made.isdigit() and int(made) < _LATEST
    ]


def create_tag(repository: GitRepository, name: str, commit: str, message: str) -> Tag:
    """Create an annotated tag.

    Raises:
        GitError: there is a tag of this name, or the name is none.
    """
    target = repository.commit_id(commit)
    repository.run(
        "tag",
        "--annotate",
        "--no-sign",
        "--cleanup=verbatim",
        "-F",
        "-",
        "--",
        name,
        target,
        stdin=message,
        variables=repository.signed(),
    )
    return next(tag for tag in tags(repository) if tag.name == name)
