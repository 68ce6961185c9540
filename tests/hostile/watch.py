"""A hook of Python's own that sees what a process does, and stops what a privileged job never does.

`PRELUDE` begins a process of its own with it, before the first import; `watching` looks at what
one thread of this process does. It sees Python only: what libraries in C open, such as DuckDB,
is held by `traces` instead, which compares what lies in a folder before and after.
"""

import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STOPPED = 99
"""How a process ends that did what it never may."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES: Mapping[str, tuple[tuple[int, int], ...]] = {
    **dict.fromkeys(("os.remove", "os.rmdir", "shutil.rmtree"), ((0, 1),)),
    **dict.fromkeys(("os.mkdir", "os.chmod"), ((0, 2),)),
    **dict.fromkeys(("os.utime", "os.chown"), ((0, 3),)),
    **dict.fromkeys(("os.rename", "os.link"), ((0, 2), (1, 3))),
    "os.symlink": ((1, 2),),
    **dict.fromkeys(("os.truncate", "os.setxattr"), ((0, 9),)),
}
"""What changes files besides opening them: which arguments are paths, and from which folder."""
_RUNS = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "pty.spawn")
_SETTINGS = re.compile(
    r"safe\.bareRepository=explicit|core\.(hooksPath=/dev/null|quotePath=false"
    r"|filesRefLockTimeout=\d+)|i18n\.\w+=UTF-8|log\.showSignature=false"
)
_GIT: Mapping[str, str] = {
    "cat-file": "--batch --batch-check -z",
    "commit-tree": "-F - -p",
    "config": "--get",
    "diff-tree": "-p -r -z -M --no-textconv --no-abbrev --numstat --no-ext-diff --no-color --raw",
    "fetch": "--prune --quiet --no-tags --tags",
    "for-each-ref": "--format --sort",
    "hash-object": "--stdin-paths --stdin --no-filters -w -t",
    "log": "--name-only -1 --format -z --stdin --topo-order --date",
    "ls-files": "-s -z --full-name",
    "ls-tree": "-r -z --full-tree",
    "merge-base": "--is-ancestor",
    "merge-tree": "--name-only --no-messages -z --write-tree",
    "mktag": "",
    "read-tree": "",
    "rev-list": "",
    "rev-parse": "--show-prefix --quiet --verify --show-toplevel",
    "status": "--no-renames --untracked-files --porcelain -z",
    "symbolic-ref": "--quiet --short",
    "tag": "-F - --cleanup --no-sign --annotate",
    "update-index": "-z --index-info",
    "update-ref": "-z --stdin",
    "write-tree": "",
}
"""The commands of Git that a privileged job runs, and all the options that they may have."""
_BUILD = ["-P", "-m", "bentoml", "build", "--version"]


@dataclass
class Rules:
    """What a job may do.

    Attributes:
        writes: folders that it may change.
        authors: folders whose code it never runs.
        hosts: where it may connect to, as `host:port`.
        builds: whether it may build a Bento.
    """

    writes: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    builds: bool = False

    def __post_init__(self) -> None:
        self.writes = [os.path.realpath(it) for it in self.writes]
        self.authors = [os.path.realpath(it) + os.sep for it in self.authors]

    def problem(self, event: str, given: tuple[Any, ...]) -> str | None:
        """Return what is wrong with an event of Python's, in words."""
        if event == "pickle.find_class":
            return f"a pickle: {'.'.join(map(str, given))}"
        if event in _RUNS:
            return f"a process: {event} {given[:2]}"
        if event == "subprocess.Popen":
            return self._process([os.fsdecode(word) for word in given[1]])
        if event in ("exec", "compile"):
            place = getattr(given[0], "co_filename", "") if event == "exec" else given[1]
            return self._author(place)
        if event in ("ctypes.dlopen", "import"):
            return self._author(given[0 if event == "ctypes.dlopen" else 1])
        if event in ("socket.connect", "socket.sendto", "socket.bind"):
            return self._address(event, given[1])
        if event in ("socket.getaddrinfo", "socket.gethostbyname"):
            known = {it.rpartition(":")[0] for it in self.hosts}
            return None if str(given[0]) in known else f"a connection: asks who {given[0]!r} is"
        if event == "open":
            return self._opened(*given)
        if event in _CHANGES:
            found = (
                self._written(given[path], given[folder] if folder < len(given) else -1)
                for path, folder in _CHANGES[event]
            )
            return next((f"{it} by {event}" for it in found if it), None)
        return None

    def _author(self, place: object) -> str | None:
        real = os.path.realpath(place) if isinstance(place, str) and place else ""
        inside = any(real.startswith(it) for it in self.authors)
        return f"author's code: {place}" if inside else None

    def _process(self, said: list[str]) -> str | None:
        if Path(said[0]).name == "git":
            return _git(said[1:])
        version = said[-2] if len(said) > 1 else ""
        build = [sys.executable, *_BUILD, version, "."]
        if self.builds and said == build and re.fullmatch(r"[\w.-]+", version):
            return None
        return f"a process: {' '.join(said)}"

    def _address(self, event: str, address: object) -> str | None:
        if isinstance(address, tuple) and f"{address[0]}:{address[1]}" in self.hosts:
            return None
        if event == "socket.bind" and isinstance(address, tuple) and address[1] == 0:
            return None
        return f"a connection: {event} {address}"

    def _opened(self, path: object, mode: object, flags: int) -> str | None:
        writes = flags & _WRITES or (isinstance(mode, str) and set(mode) & set("wax+"))
        return self._written(path) if writes else None

    def _written(self, path: object, folder: object = -1) -> str | None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return None  # a file that is open already
        name = os.fsdecode(path)
        above = f"/proc/self/fd/{folder}" if isinstance(folder, int) and folder >= 0 else ""
        real = os.path.realpath(Path(above, name))
        if real == os.devnull or any(
            real == it or real.startswith(it + os.sep) for it in self.writes
        ):
            return None
        return f"a file elsewhere: {name}"


def _git(words: list[str]) -> str | None:
    """Return what is wrong with the arguments of Git: it has one of few forms, all fixed."""
    rest = list(words)
    while rest[:1] == ["-c"]:
        if not _SETTINGS.fullmatch(rest[1]):
            return f"a setting of Git's: {rest[1]}"
        rest = rest[2:]
    if rest[:1] == ["-C"]:
        rest = rest[2:]
    elif rest and rest[0].startswith("--git-dir="):
        rest = rest[1:]
    command, *given = rest or [""]
    known = _GIT.get(command)
    if known is None:
        return f"a command of Git's: {command}"
    allowed = set(known.split())
    for word in given:
        if word == "--":
            break
        if word.startswith("-") and word.partition("=")[0] not in allowed:
            return f"an option of Git's: {command} {word}"
        if word.startswith("ext::") or "\n" in word:
            return f"an argument of Git's: {command} {word!r}"
    return None


def stop(rules: Rules) -> None:
    """End this process as soon as it does what it never may; nothing can take the hook away."""

    def hook(event: str, given: tuple[Any, ...]) -> None:
        problem = rules.problem(event, given)
        if problem:
            os.write(2, f"stopped: {problem}\n".encode(errors="replace"))
            os._exit(STOPPED)

    sys.addaudithook(hook)


PRELUDE = """
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, {tests!r})
from tests.hostile.watch import Rules, stop
stop(Rules(**{rules!r}))
sys.path.pop(0)
"""


def guarded(code: str, **rules: Any) -> list[str]:
    """Return the command of a Python that runs code, from its first line on under these rules."""
    tests = str(Path(__file__).parents[2])
    return [sys.executable, "-c", PRELUDE.format(tests=tests, rules=rules) + code]


_now: dict[int, tuple[Rules, list[str]]] = {}


@contextmanager
def watching(rules: Rules) -> Iterator[list[str]]:
    """Collect what this thread does against rules; other threads, such as servers, may."""
    if not _now.get(0):
        _now[0] = (rules, [])
        sys.addaudithook(_note)
    problems: list[str] = []
    me = threading.get_ident()
    _now[me] = (rules, problems)
    try:
        yield problems
    finally:
        del _now[me]


def _note(event: str, given: tuple[Any, ...]) -> None:
    found = _now.get(threading.get_ident())
    if found:
        problem = found[0].problem(event, given)
        if problem:
            found[1].append(problem)


def traces(folder: Path) -> set[str]:
    """Return everything that lies in a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
