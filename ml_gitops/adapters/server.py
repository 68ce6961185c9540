"""A Bento served on this machine: started, awaited, followed and stopped as a whole."""

import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ml_gitops.adapters.bento import last_useful_line, private_environment
from ml_gitops.errors import ServiceError
from ml_gitops.names import LOG_VARIABLE, REPLAY_VARIABLE

START_SECONDS = 90.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.1
ENDINGS = (signal.SIGTERM, signal.SIGHUP)
CANNOT_START = ("Initializing service error", "Application startup failed")


def serve(
    bento: Path,
    *,
    port: int,
    log_dir: Path | None,
    host: str = "127.0.0.1",
    replay: bool = False,
    environ: Mapping[str, str] | None = None,
    timeout: float = START_SECONDS,
) -> "Server":
    """Start a Bento and return when it answers.

    Args:
        bento: directory of an unpacked Bento.
        port: where it listens; 0 takes a free one.
        log_dir: where the prediction log is written; None writes none.
        host: the address it listens on.
        replay: take times of any age from clients.
        environ: variables to set in the service, beside our own.
        timeout: seconds until it must be ready.

    Returns:
        A running server: a context manager that stops it.

    Raises:
        ServiceError: the port is taken, the log cannot be written, or the service does not start.
    """
    port = free_port(host, port)
    if log_dir is not None:
        _make_log_directory(log_dir)
    home = tempfile.TemporaryDirectory(prefix="ml-gitops-serve-")
    variables = private_environment(Path(home.name)) | dict(environ or {})
    variables[LOG_VARIABLE] = str(log_dir.resolve()) if log_dir is not None else ""
    variables[REPLAY_VARIABLE] = "yes" if replay else ""
    command = [sys.executable, "-P", "-m", "bentoml", "serve", str(bento.resolve())]
    handlers = _end_in_order()
    process = _start([*command, "--host", host, "--port", str(port)], Path(home.name), variables)
    server = Server(process, home, f"http://{host}:{port}", handlers)
    try:
        server.await_ready(timeout)
    except BaseException:
        server.stop()
        raise
    return server


def _start(
    command: list[str], home: Path, variables: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Start a service that lives in a folder, where its output goes too."""
    with (home / "output").open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=home,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us; we stop the service in order
        )


class Server:
    """A running service.

    Attributes:
        url: where it answers.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        home: "tempfile.TemporaryDirectory[str]",
        url: str,
        handlers: Mapping[signal.Signals, Any],
    ) -> None:
        self.url = url
        self._process = process
        self._home = home
        self._handlers = handlers
        self._family: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process that leads the service."""
        return self._process.pid

    @property
    def output(self) -> str:
        """What the service has printed so far."""
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    @property
    def _output(self) -> Path:
        return Path(self._home.name) / "output"

    def await_ready(self, timeout: float) -> None:
        """Wait until the service answers that it is ready.

        Raises:
            ServiceError: it ended, cannot start, or was not ready in time.
        """
        deadline = time.monotonic() + timeout
        while not self._ready():
            ended = self._process.poll() is not None
            if ended or any(sign in self.output for sign in CANNOT_START):
                raise ServiceError(
                    f"the service does not start: {last_useful_line(self.output)}",
                    hint="build the Bento again, and install ml-gitops[serve]",
                )
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"the service was not ready after {timeout:.0f} s: "
                    f"{last_useful_line(self.output)}",
                    hint="try again on a quieter machine",
                )
            time.sleep(POLL_SECONDS)
        self._remember_family()

    def wait(self, say: Callable[[str], None]) -> int:
        """Follow what the service prints until it ends, and return its exit code.

        Args:
            say: is given every line; KeyboardInterrupt passes through.
        """
        with self._output.open(errors="replace") as lines:
            while True:
                ended = self._process.poll()
                for line in lines:
                    say(line.rstrip("\n"))
                if ended is not None:
                    return ended
                time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop the service and every process it started; a second call does nothing."""
        import psutil  # type: ignore[import-untyped]  # BentoML brings it

        self._remember_family()
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        _, left = psutil.wait_procs(self._family, timeout=1.0)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=STOP_SECONDS)
        self._process.kill()  # It may be without a family, and does nothing if it has ended.
        self._process.wait()
        self._home.cleanup()
        for ending, handler in self._handlers.items():
            signal.signal(ending, handler)
        self._handlers = {}

    def _remember_family(self) -> None:
        """Note which processes the service consists of, to find them when their leader is gone."""
        import psutil

        with contextlib.suppress(psutil.NoSuchProcess):
            leader = psutil.Process(self._process.pid)
            if children := leader.children(recursive=True):
                self._family = [leader, *children]

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2.0) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _end_in_order() -> dict[signal.Signals, Any]:
    """Let a signal to end us stop the service first, and return the handlers to put back.

    Without it `kill` or a closed terminal would leave a service that nobody stops.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    return {ending: signal.signal(ending, end) for ending in ENDINGS}


def free_port(host: str, port: int) -> int:
    """Return the port, or a free one for 0.

    Raises:
        ServiceError: somebody listens there, or there is no such address.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServiceError(
                f"port {port} of {host} cannot be used: {error.strerror}",
                hint="stop what listens there, or choose another port",
            ) from None
        return int(probe.getsockname()[1])


def _make_log_directory(directory: Path) -> None:
    try:
        directory.mkdir(0o750, parents=True, exist_ok=True)
        # Rows are logged here: no `git add` may pick them up, whatever the repository ignores.
        (directory / ".gitignore").write_text("*\n")
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise ServiceError(
            f"the prediction log cannot be written: {error.strerror}",
            hint="choose a directory that you may write to",
            where=str(directory),
        ) from None
