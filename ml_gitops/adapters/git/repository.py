"""Objects and refs of one Git repository.

Everything here works on bare repositories and on work trees alike, because it
never touches a work tree: commits are built from blobs and a private index,
and refs move by compare-and-swap. Names are resolved to commit ids first, so
no name that looks like an option or an expression reaches a command line.
"""

import os
import re
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from ml_gitops.adapters.git.command import Git
from ml_gitops.adapters.git.refs import RefMove
from ml_gitops.errors import GitError
from ml_gitops.names import BOT_LOGIN
from ml_gitops.ports import Changes, Clock
from ml_gitops.pull_request import Actor

BOT_EMAIL = "bot@ml-gitops.invalid"
HEADS = "refs/heads/"

_ODD_NAME = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^-")
_COMMIT_ID = re.compile(r"[0-9a-f]{7,64}")
_FULL_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_OBJECT = re.compile(rb"[0-9a-f]{40,64} (\w+) (\d+)\n")


@dataclass(frozen=True)
class Identity:
    """Who made a commit and when; `date` as Git stores it, `1365206400 +0000`."""

    name: str
    email: str
    date: str


class GitRepository(Git):
    """A Git repository on this machine, bare or with a work tree.

    Args:
        path: its folder.
        clock: dates commits and tags.
        actor: signs them; a person as `<login>@users.invalid`.
    """

    def __init__(self, path: Path, *, clock: Clock, actor: Actor, may_be_bare: bool = True) -> None:
        super().__init__(path, may_be_bare=may_be_bare)
        self.clock = clock
        self.actor = actor

    @classmethod
    def create_bare(
        cls, path: Path, *, clock: Clock, actor: Actor, default_branch: str = "main"
    ) -> Self:
        """Make an empty bare repository whose objects reach the disk before its refs do."""
        path.mkdir(parents=True, exist_ok=True)
        folder = cls(path, clock=clock, actor=actor)
        folder.run("init", "--quiet", "--bare", f"--initial-branch={default_branch}")
        bare = cls(path, clock=clock, actor=actor)
        bare.run("config", "core.fsync", "committed")
        # What the forge remembers is written by the forge: no push moves or deletes it.
        for hidden in ("refs/ml-gitops", "refs/pull"):
            bare.run("config", "--add", "receive.hideRefs", hidden)
        return bare

    def refs(self, *prefixes: str) -> dict[str, str]:
        """Return ref and object id of every ref under the prefixes (all, if none is given)."""
        lines = self.text("for-each-ref", "--format=%(objectname) %(refname)", *prefixes)
        return {
            name: id_
            for id_, _, name in (line.partition(" ") for line in lines.split("\n") if line)
        }

    def resolve(self, name: str) -> str | None:
        """Return the commit that a branch, tag, remote branch or commit id names, if any."""
        if not name or _ODD_NAME.search(name):
            return None
        candidates = [HEADS + name, f"refs/tags/{name}", f"refs/remotes/{name}"]
        if name == "HEAD" or name.startswith("refs/"):
            candidates = [name]
        elif _FULL_ID.fullmatch(name):
            candidates = [name]  # no branch of this name may stand in for the commit
        elif _COMMIT_ID.fullmatch(name):
            candidates.append(name)
        asked = "".join(f"{candidate}^{{commit}}\0" for candidate in candidates)
        for line in self.text("cat-file", "--batch-check", "-z", stdin=asked).split("\n"):
            id_, _, kind = line.partition(" ")
            if kind.startswith("commit"):
                return id_
        return None

    def commit_id(self, name: str) -> str:
        """Return the commit that a name stands for; a whole id is taken at its word.

        Raises:
            GitError: nothing has this name.
        """
        commit = name if _FULL_ID.fullmatch(name) else self.resolve(name)
        if commit is None:
            raise self._unknown(name)
        return commit

    def _unknown(self, name: str) -> GitError:
        return GitError(
            f"there is no branch, tag or commit {name!r}",
            hint="check the spelling, or fetch it first",
            where=str(self.path),
        )

    def head(self) -> str:
        """Return the commit that is checked out."""
        return self.commit_id("HEAD")

    def branch(self) -> str | None:
        """Return the branch that is checked out, born or not; None on a detached head."""
        done = self.run("symbolic-ref", "--quiet", "--short", "HEAD", accept=(0, 1))
        return done.stdout.decode(errors="replace").strip() or None

    def files(self, ref: str, prefix: str = "") -> dict[str, str]:
        """Return path and blob id of every file at a ref whose path starts with a prefix."""
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", self.commit_id(ref)).stdout
        entries = (entry.partition("\t") for entry in os.fsdecode(listed).split("\0") if entry)
        return {
            path: meta.split()[2]
            for meta, _, path in entries
            if path.startswith(prefix) and " blob " in meta  # and no commit of a submodule
        }

    def read(self, path: str, ref: str) -> bytes | None:
        """Return a file at a ref; None if it is not there.

        Raises:
            GitError: there is no such ref.
        """
        commit = self.resolve(ref)
        if commit is None:
            raise self._unknown(ref)
        if path.startswith(("/", "./", "../")) or "\0" in path:
            return None
        return self._objects([f"{commit}:{path}"])[0]

    def blobs(self, ids: Sequence[str]) -> list[bytes]:
        """Return the contents of blobs, with one process for all of them."""
        contents = self._objects(ids)
        for id_, content in zip(ids, contents, strict=True):
            if content is None:
                raise GitError(
                    f"the object {id_} is gone", hint="run `git fsck`", where=str(self.path)
                )
        return [content for content in contents if content is not None]

    def _objects(self, names: Sequence[str]) -> list[bytes | None]:
        asked = [os.fsencode(name) for name in names]
        if not asked:
            return []
        output = self.run("cat-file", "--batch", "-z", stdin=b"\0".join(asked) + b"\0").stdout
        contents: list[bytes | None] = []
        at = 0
        for name in asked:
            header = _OBJECT.match(output, at)
            if header is None:
                contents.append(None)
                at += len(name) + len(b" missing\n")
                continue
            start, size = header.end(), int(header[2])
            contents.append(output[start : start + size] if header[1] == b"blob" else None)
            at = start + size + 1
        return contents

    def write_tree(self, base: str | None, changes: Changes) -> str:
        """Return the tree of a commit with changes applied, built in a private index.

        Args:
            base: a commit id; None starts from nothing.
            changes: path to new content; a file stays executable if it was.
        """
        ids = self._write_blobs(changes)
        with tempfile.TemporaryDirectory(prefix="ml-gitops-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            if base is not None:
                self.run("read-tree", base, variables=index)
            listed = self.run("ls-files", "-s", "-z", "--full-name", ":/", variables=index)
            entries = os.fsdecode(listed.stdout).split("\0")[:-1]
            modes = {path: meta[:6] for meta, _, path in (it.partition("\t") for it in entries)}
            self._refuse_clashes((modes.keys() - changes.keys()) | ids.keys())
            lines = [
                f"{'100755' if modes.get(path) == '100755' else '100644'} {id_}\t{path}\0"
                for path, id_ in ids.items()
            ]
            lines += [
                f"0 {'0' * len(base or '')}\t{path}\0"
                for path in modes.keys() & changes.keys() - ids
            ]
            staged = self.run(
                "update-index", "-z", "--index-info", stdin="".join(lines), variables=index
            )
            # Git leaves out a path that it refuses, and only mumbles about it.
            refused = re.search(rb"Ignoring path (.*)", staged.stderr)
            if refused:
                raise self._odd_path(os.fsdecode(refused[1]), "is no path that Git takes")
            return self.text("write-tree", variables=index)

    def _write_blobs(self, changes: Changes) -> dict[str, str]:
        """Write every new content and return path and blob id, with one process for all."""
        written = {path: content for path, content in changes.items() if content is not None}
        with tempfile.TemporaryDirectory(prefix="ml-gitops-") as folder:
            drafts = [Path(folder, str(number)) for number in range(len(written))]
            for draft, content in zip(drafts, written.values(), strict=True):
                draft.write_bytes(content)
            names = "".join(f"{draft}\n" for draft in drafts)
            ids = self.text("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=names)
        return dict(zip(written, ids.split(), strict=True))

    def _refuse_clashes(self, paths: Collection[str]) -> None:
        """Refuse a path that is a folder of another: Git would drop one of them in silence."""
        folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
        for path in paths:
            if path in folders:
                raise self._odd_path(path, "is a file, and would have to be a folder")
            if "\0" in path:
                raise self._odd_path(path, "is no path")

    def _odd_path(self, path: str, problem: str) -> GitError:
        hint = "remove what is there, or name another path"
        return GitError(f"{path!r} {problem}", hint=hint, where=str(self.path))

    def write_commit(
        self, tree: str, parents: Sequence[str], message: str, *, author: Identity | None = None
    ) -> str:
        """Write a commit that no ref names yet and return its id."""
        message = message if message.endswith("\n") else message + "\n"
        arguments = [part for parent in parents for part in ("-p", parent)]
        return self.text(
            "commit-tree", tree, *arguments, "-F", "-", stdin=message, variables=self.signed(author)
        )

    def commit_files(
        self, branch: str, changes: Changes, message: str, *, expected_old: str | None
    ) -> str:
        """Commit changes on a branch without a work tree.

        Args:
            branch: its name; it is made if `expected_old` is None.
            expected_old: the tip that the changes were made for.

        Returns:
            The new tip; the old one, if nothing differs.

        Raises:
            RefMoved: the branch is no longer at `expected_old`.
        """
        tree = self.write_tree(expected_old, changes)
        if expected_old is not None and tree == self.tree(expected_old):
            return expected_old
        parents = [] if expected_old is None else [expected_old]
        commit = self.write_commit(tree, parents, message)
        self.move_refs([RefMove(HEADS + branch, expected_old, commit)])
        return commit

    def move_refs(self, moves: Sequence[RefMove]) -> None:
        """Move refs in one transaction, each only if it still is where it was.

        Raises:
            RefMoved: one of them is not.
        """
        asked = "".join(move.render() for move in moves if move.old != move.new)
        if asked:
            self.run("update-ref", "--stdin", "-z", stdin=asked)

    def identity(self) -> Identity:
        """Return who commits here, now."""
        login = self.actor.login
        name, email = (
            (BOT_LOGIN, BOT_EMAIL) if self.actor.bot else (login, f"{login}@users.invalid")
        )
        return Identity(name, email, f"{int(self.clock().timestamp())} +0000")

    def signed(self, author: Identity | None = None) -> dict[str, str]:
        """Return the variables that make Git sign with our actor and clock."""
        committer = self.identity()
        return {
            f"GIT_{role}_{field}": value
            for role, one in (("AUTHOR", author or committer), ("COMMITTER", committer))
            # With its sign: Git takes a number of few digits for no time otherwise.
            for field, value in (("NAME", one.name), ("EMAIL", one.email), ("DATE", f"@{one.date}"))
        }

    def tree(self, commit: str) -> str:
        """Return the tree of a commit id."""
        return self.text("rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}")
