"""Objects and refs of one bare repository, for the server to read and write.

Reading goes through one `git cat-file` that stays, and new objects are written as
loose files, because a server that starts a process for each would be slow.
Everything that needs Git's judgement (merges, diffs, history) is Git's.
"""

import hashlib
import os
import subprocess
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

HEADS = "refs/heads/"
TAGS = "refs/tags/"
NOTHING = "0" * 40
MOST_READERS = 8
_SETTINGS = """\
[http]
	receivepack = true
[receive]
	autogc = false
[gc]
	auto = 0
[uploadpack]
	allowAnySHA1InWant = true
"""
_HOOKS = Path(__file__).parent / "hooks"


@dataclass(frozen=True)
class Entry:
    """One entry of a tree."""

    mode: str
    name: str
    sha: str

    @property
    def type(self) -> str:
        """What the entry is: blob, tree or commit (a submodule)."""
        return {"40000": "tree", "160000": "commit"}.get(self.mode, "blob")


class Git:
    """A bare repository on disk.

    Args:
        path: its folder.
        readers: the repositories of a server whose reader runs; the oldest make room.
    """

    def __init__(self, path: Path, readers: list["Git"]) -> None:
        self.path = path
        self._readers = readers
        self.moves = path / "moves"
        self._read_moves = 0
        self._reader: subprocess.Popen[bytes] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Share the objects: an earlier view of the server differs only in its refs."""
        return self

    @classmethod
    def create(cls, path: Path, branch: str, readers: list["Git"]) -> Self:
        """Make an empty bare repository that can be cloned and pushed over HTTP."""
        path.parent.mkdir(parents=True, exist_ok=True)
        _run("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(path))
        git = cls(path, readers)
        with (path / "config").open("a") as config:
            config.write(_SETTINGS)
        for hook in _HOOKS.iterdir():
            copy = path / "hooks" / hook.name
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(hook.read_bytes())
            copy.chmod(0o755)
        git.moves.touch()
        return git

    def run(self, *args: str, stdin: bytes = b"", accept: Sequence[int] = (0,)) -> bytes:
        """Run Git in this repository and return what it prints."""
        return _run("-C", str(self.path), *args, stdin=stdin, accept=accept)

    def succeeds(self, *args: str) -> bool:
        """Run Git and return whether it said yes."""
        command = ["git", "-C", str(self.path), *args]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def close(self) -> None:
        """End the reader."""
        if self._reader is not None:
            self._reader.communicate()
            self._reader = None
            self._readers.remove(self)

    # Refs

    def new_moves(self) -> list[tuple[str, str, str | None]]:
        """Return who moved which ref to what since the last call, other than `move`."""
        if self.moves.stat().st_size == self._read_moves:
            return []
        with self.moves.open("rb") as log:
            log.seek(self._read_moves)
            text = log.read()
        # Another process may be in the middle of a line.
        text = text[: text.rfind(b"\n") + 1]
        self._read_moves += len(text)
        lines = [line.split(" ", 3) for line in text.decode().splitlines()]
        return [(who, ref, None if new == NOTHING else new) for who, _old, new, ref in lines]

    def move(self, ref: str, new: str | None) -> None:
        """Point a ref somewhere, or delete it; the caller knows that it may."""
        quiet = ("-c", f"core.hooksPath={os.devnull}", "update-ref")
        if new is None:
            self.run(*quiet, "-d", ref)
        else:
            self.run(*quiet, ref, new)

    # Objects

    def read(self, sha: str) -> tuple[str, bytes] | None:
        """Return type and content of an object; None if there is none."""
        if len(sha) != 40 or not set(sha) <= set("0123456789abcdef"):
            return None
        if self._reader is None:
            while len(self._readers) >= MOST_READERS:
                self._readers[0].close()
            self._readers.append(self)
            command = ["git", "-C", str(self.path), "cat-file", "--batch"]
            pipe = subprocess.PIPE
            self._reader = subprocess.Popen(command, stdin=pipe, stdout=pipe)
        reader = self._reader
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write(f"{sha}\n".encode())
        reader.stdin.flush()
        head = reader.stdout.readline().split()
        if head[-1] == b"missing":
            return None
        content = reader.stdout.read(int(head[2]))
        reader.stdout.read(1)
        return head[1].decode(), content

    def is_a(self, kind: str, sha: str) -> bool:
        """Whether an object is there and of a kind."""
        found = self.read(sha)
        return found is not None and found[0] == kind

    def write(self, kind: str, content: bytes) -> str:
        """Store an object and return its id."""
        whole = f"{kind} {len(content)}\0".encode() + content
        sha = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        file = self.path / "objects" / sha[:2] / sha[2:]
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as draft:
                draft.write(zlib.compress(whole, 1))
            Path(draft.name).replace(file)
        return sha

    # Trees

    def tree(self, sha: str) -> list[Entry]:
        """Return the entries of a tree."""
        found = self.read(sha)
        assert found is not None
        entries, rest = [], found[1]
        while rest:
            head, _, rest = rest.partition(b"\0")
            mode, _, name = head.partition(b" ")
            entries.append(Entry(mode.decode(), name.decode(), rest[:20].hex()))
            rest = rest[20:]
        return entries

    def write_tree(self, entries: Sequence[Entry]) -> str:
        """Store a tree and return its id."""
        # Git sorts a folder as if its name ended with a slash.
        ordered = sorted(entries, key=lambda it: (it.name + "/" * (it.type == "tree")).encode())
        parts = (f"{it.mode} {it.name}\0".encode() + bytes.fromhex(it.sha) for it in ordered)
        return self.write("tree", b"".join(parts))

    def changed_tree(self, base: str | None, changes: Mapping[str, Entry | None]) -> str:
        """Return a tree with entries put in or taken out, by path; empty folders go.

        Raises:
            KeyError: a path to take out is not there.
        """
        names = {it.name: it for it in self.tree(base)} if base else {}
        deeper: dict[str, dict[str, Entry | None]] = {}
        for path, entry in changes.items():
            name, _, rest = path.partition("/")
            if rest:
                deeper.setdefault(name, {})[rest] = entry
            elif entry is None:
                del names[name]
            else:
                names[name] = Entry(entry.mode, name, entry.sha)
        for name, inside in deeper.items():
            old = names.get(name)
            below = old.sha if old is not None and old.type == "tree" else None
            sha = self.changed_tree(below, inside)
            if self.tree(sha):
                names[name] = Entry("40000", name, sha)
            else:
                names.pop(name, None)
        return self.write_tree(list(names.values()))

    def find(self, tree: str, path: str) -> Entry | None:
        """Return the entry at a path below a tree; the tree itself for the empty path."""
        entry = Entry("40000", "", tree)
        for name in filter(None, path.split("/")):
            inside = self.tree(entry.sha) if entry.type == "tree" else []
            found = next((it for it in inside if it.name == name), None)
            if found is None:
                return None
            entry = found
        return entry


def _run(*args: str, stdin: bytes = b"", accept: Sequence[int] = (0,)) -> bytes:
    done = subprocess.run(["git", *args], input=stdin, capture_output=True, check=False)
    if done.returncode not in accept:
        raise AssertionError(f"git {' '.join(args)}: {done.stderr.decode()}")
    return done.stdout
