"""HTTP on a port of 127.0.0.1: reads requests, writes answers, breaks connections when told."""

import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.github.answers import Answer

LONGEST_HANG = 60.0
"""Seconds after which a request that gets no answer is dropped."""
_ABORT = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Incoming:
    """A request as it came: the names of headers in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


Respond = Callable[[Incoming], Answer]


class Port(ThreadingHTTPServer):
    """Listens on a free port, answers each connection in a thread of its own.

    Args:
        respond: gives the answer to a request.
        date: gives the time for the `Date` header, in seconds.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, respond: Respond, date: Callable[[], float]) -> None:
        self.respond, self.date = respond, date
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Listen until it is stopped."""
        # A stop waits for the interval to pass; the default is half a second.
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening and drop whoever is still connected."""
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember a connection, and serve it."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection, and close it."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about clients that went away; a bug of ours has to be heard."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Port
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet; in two, each answer would wait for a timer.
    wbufsize = -1
    disable_nagle_algorithm = True

    def __getattr__(self, name: str) -> Any:
        """Handle every method of HTTP the same way."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *args: Any) -> None:
        """Print nothing."""

    def handle_expect_100(self) -> bool:
        """Let the client send its body, at once."""
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()
        return True

    def version_string(self) -> str:
        """Say who answers."""
        return "github.com"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Date answers by the clock of the server."""
        return super().date_time_string(self.server.date() if timestamp is None else timestamp)

    def _serve(self) -> None:
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._body()
        answer = self.server.respond(
            Incoming(self.command, target.path, target.query, headers, body)
        )
        if answer.ending == "hang":
            self._hang()
        elif answer.ending == "reset":
            self._reset()
        else:
            self._send(answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, answer: Answer) -> None:
        body = answer.payload()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.status in (204, 304) or self.command == "HEAD":
            return
        if answer.ending == "cut":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(body)

    def _hang(self) -> None:
        """Answer nothing until the client gives up."""
        self.close_connection = True
        self.connection.settimeout(LONGEST_HANG)
        with contextlib.suppress(OSError):
            self.connection.recv(1)

    def _reset(self) -> None:
        """Drop the connection as a crashed peer would."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        self.connection.close()
