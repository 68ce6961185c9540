"""The hook that watches privileged jobs: a guilty process is caught, whatever it is guilty of."""

import pickle
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.hostile.watch import STOPPED, Rules, guarded, traces, watching

GUILTY = {
    "unpickles": ("a pickle", "import pickle; pickle.loads({pickled!r})"),
    "imports": ("author's code", "import sys; sys.path.insert(0, {work!r}); import evil"),
    "runs a file": ("author's code", "import runpy; runpy.run_path({work!r} + '/evil.py')"),
    "compiles": ("author's code", "compile('1', {work!r} + '/x.py', 'exec')"),
    "loads a library": ("author's code", "import ctypes; ctypes.CDLL({work!r} + '/evil.so')"),
    "asks a shell": ("a process: os.system", "import os; os.system('true')"),
    "asks a shell otherwise": (
        "a process: /bin/sh",
        "import subprocess; subprocess.run('true', shell=True)",
    ),
    "starts a process": ("a process: true", "import subprocess; subprocess.run(['true'])"),
    "becomes another": ("a process: os.exec", "import os; os.execv('/bin/true', ['true'])"),
    "spawns": ("a process: os.posix_spawn", "import os; os.posix_spawn('/bin/true', ['x'], {{}})"),
    "asks Git for a shell": (
        "a setting of Git's",
        "import subprocess; subprocess.run(['git', '-c', 'alias.x=!true', '-C', '.', 'x'])",
    ),
    "asks Git for a filter": ("a command of Git's", "{git} 'filter-branch'])"),
    "lets a name be an option": ("an option of Git's", "{git} 'fetch', '--upload-pack=true'])"),
    "fetches by a command": ("an argument of Git's", "{git} 'fetch', 'ext::sh -c true'])"),
    "builds something else": (
        "a process",
        "import subprocess, sys; subprocess.run([sys.executable, '-m', 'bentoml', 'serve'])",
    ),
    "writes": ("a file elsewhere", "open({outside!r}, 'w')"),
    "appends": ("a file elsewhere", "open({outside!r}, 'ab')"),
    "writes below Python": ("a file elsewhere", "import os; os.open({outside!r}, os.O_CREAT)"),
    "writes through a link": ("a file elsewhere", "open({link!r}, 'w')"),
    "climbs": ("a file elsewhere", "open({free!r} + '/../outside', 'w')"),
    "makes a folder": ("a file elsewhere", "import os; os.mkdir({outside!r})"),
    "moves a file out": ("a file elsewhere", "import os; os.rename({free!r} + '/a', {outside!r})"),
    "deletes": ("a file elsewhere", "import os; os.remove({outside!r})"),
    "deletes by a handle": (
        "a file elsewhere",
        "import os; os.remove('outside', dir_fd=os.open({free!r} + '/..', os.O_RDONLY))",
    ),
    "links": ("a file elsewhere", "import os; os.symlink('/etc', {outside!r})"),
    "connects": ("a connection", "import socket; socket.create_connection(('127.0.0.1', {port}))"),
    "asks a name server": ("a connection", "import socket; socket.getaddrinfo('evil.test', 80)"),
    "sends": (
        "a connection",
        "from socket import *; socket(AF_INET, SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
    ),
}
"""What a privileged job must never do, and what it is called."""
INNOCENT = """
import json, os, socket, subprocess, tempfile
os.mkdir("d", dir_fd=os.open({free!r}, os.O_RDONLY))
open({free!r} + "/b", "w").close(); os.rename({free!r} + "/b", {free!r} + "/c")
open(os.devnull, "w").close(); open({work!r} + "/evil.py").read()
subprocess.run(["git", "-c", "core.hooksPath=/dev/null", "-C", {free!r}, "rev-parse", "--verify"])
socket.create_connection(("127.0.0.1", {api})).close()
"""


@pytest.fixture
def place(tmp_path: Path) -> dict[str, object]:
    """Return a work tree with code, a folder that is free, and a file that is not."""
    work, free, outside = tmp_path / "work", tmp_path / "free", tmp_path / "outside"
    work.mkdir()
    free.mkdir()
    (work / "evil.py").write_text("print('ran')\n")
    (free / "a").write_text("a")
    (free / "link").symlink_to(outside)
    paths = {"work": work, "free": free, "outside": outside, "link": free / "link"}
    return {name: str(path) for name, path in paths.items()} | {
        "pickled": pickle.dumps(Path),
        "git": f"import subprocess; subprocess.run(['git', '-C', {str(free)!r},",
        "port": 9,
    }


def run(code: str, place: dict[str, object], **rules: object) -> "subprocess.CompletedProcess[str]":
    """Run code in a process of its own that is watched."""
    allowed = {"writes": [place["free"]], "authors": [place["work"]], "builds": True}
    words = guarded(code.format(**place), **{**allowed, **rules})
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.hostile
@pytest.mark.slow
@pytest.mark.parametrize(("told", "code"), GUILTY.values(), ids=GUILTY)
def test_a_guilty_process_is_stopped(told: str, code: str, place: dict[str, object]) -> None:
    """Each thing that no privileged job does ends a process that does it, before it is done."""
    done = run(code, place)

    assert done.returncode == STOPPED, done.stderr
    assert f"stopped: {told}" in done.stderr
    assert "ran" not in done.stdout
    assert not Path(str(place["outside"])).exists()


def test_an_innocent_process_is_not(place: dict[str, object]) -> None:
    """Reading, writing where it may, Git in a fixed form and the one address are no crime."""
    with socket.create_server(("127.0.0.1", 0)) as api:
        port = api.getsockname()[1]
        done = run(INNOCENT, {**place, "api": port}, hosts=[f"127.0.0.1:{port}"])

    assert done.returncode == 0, done.stderr


def test_a_thread_is_watched_by_itself(tmp_path: Path) -> None:
    """In this process only what watches itself is looked at, and afterwards it is not."""
    free, outside = tmp_path / "free", tmp_path / "outside"
    free.mkdir()
    with watching(Rules(writes=[str(free)])) as problems:
        (free / "a").write_text("a")
        other = threading.Thread(target=outside.write_text, args=["b"])
        other.start()
        other.join()
        assert problems == []
        outside.write_text("c")
        pickle.loads(pickle.dumps(Path))  # noqa: S301
    outside.write_text("d")

    assert [it.partition(":")[0] for it in problems] == ["a file elsewhere", "a pickle"]
    assert traces(tmp_path) == {"free", "free/a", "outside"}
