"""What goes wrong, and when: a script of faults that the server follows.

A fault strikes before the effect (nothing happened), after it (it happened, and the
answer is lost or wrong), or gives a reader what was true before the last write.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.github.answers import Answer, Ending, Refusal

Act = Callable[[], None]

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
PRIMARY = "API rate limit exceeded for installation ID 1."
_HTML = b"<!DOCTYPE html>\n<html><body><h1>Unicorn!</h1></body></html>\n"
_EXHAUSTED = {"X-RateLimit-Remaining": "0", "X-RateLimit-Used": "5000"}
_NODE = "Could not resolve to a node with the global id of 'PR_kwDOA'."


def _gateway(status: int) -> Answer:
    return Answer(status, body=_HTML, content_type="text/html; charset=utf-8")


_INSTEAD: dict[str, Callable[[], Answer]] = {
    "401": lambda: Refusal(401, "Bad credentials").answer,
    "403-secondary": lambda: Refusal(403, SECONDARY).answer,
    "403-secondary-retry-after": lambda: (
        Refusal(403, SECONDARY, headers={"Retry-After": "1"}).answer
    ),
    "403-primary": lambda: Refusal(403, PRIMARY, headers=dict(_EXHAUSTED)).answer,
    "404": lambda: Refusal(404, "Not Found").answer,
    "422-node": lambda: Refusal(422, "Validation Failed", [_NODE]).answer,
    "429": lambda: Refusal(429, SECONDARY).answer,
    "429-retry-after": lambda: Refusal(429, SECONDARY, headers={"Retry-After": "1"}).answer,
    "429-long": lambda: Refusal(429, SECONDARY, headers={"Retry-After": "3600"}).answer,
    "500": lambda: Refusal(500, "Server Error").answer,
    "502": lambda: _gateway(502),
    "503": lambda: _gateway(503),
    "504": lambda: _gateway(504),
}
_AFTERWARDS: dict[str, Callable[[], Answer]] = {
    "500-after": _INSTEAD["500"],
    "502-after": _INSTEAD["502"],
    "503-after": _INSTEAD["503"],
    "504-after": _INSTEAD["504"],
    "empty-200": lambda: Answer(200, body=b""),
    "html-200": lambda: Answer(200, body=_HTML, content_type="text/html; charset=utf-8"),
}
_ENDINGS: dict[str, Ending] = {
    "timeout-before": "hang",
    "timeout-after": "hang",
    "reset-before": "reset",
    "reset-after": "reset",
    "truncated": "",
    "cut": "cut",
    "stale-read": "",
}
NAMES = (*_INSTEAD, *_AFTERWARDS, *_ENDINGS)
"""Every fault by name. Those that end in `-after`, and the ones with 200, `truncated` (half a
JSON document) and `cut` (a body shorter than announced) strike when the effect is there."""


@dataclass
class Fault:
    """One fault of the script.

    Attributes:
        call: the number of the request since the script began, from 1; None is any.
        method, path: of the requests it strikes; the path is a regular expression.
        times: how often it strikes.
    """

    name: str
    call: int | None = None
    method: str = ""
    path: str = ""
    times: int = 1
    act: Act | None = None
    answer: Answer | None = None
    struck: int = 0

    def strikes(self, call: int, method: str, path: str) -> bool:
        """Whether it strikes this request."""
        return (
            self.struck < self.times
            and self.call in (None, call)
            and (not self.method or self.method == method)
            and (not self.path or re.search(self.path, path) is not None)
        )

    @property
    def instead(self) -> Answer | None:
        """What is answered in place of doing anything; None if the request has its effect."""
        if self.name.endswith("-before"):
            return Answer(0, ending=_ENDINGS[self.name])
        return _INSTEAD[self.name]() if self.name in _INSTEAD else self.answer

    def spoil(self, answer: Answer) -> Answer:
        """Return what is sent in place of the true answer."""
        if self.name in _ENDINGS:
            answer = replace(answer, ending=_ENDINGS[self.name])
        if self.name in _AFTERWARDS:
            return _AFTERWARDS[self.name]()
        if self.name == "truncated" and answer.payload():
            half = answer.payload()[: len(answer.payload()) // 2]
            return Answer(answer.status, body=half, headers=answer.headers)
        return answer


@dataclass
class Faults:
    """The script: faults in the order they were added; the first that fits strikes."""

    script: list[Fault] = field(default_factory=list)
    _calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        fault: str | Answer | Act,
        *,
        call: int | None = None,
        method: str = "",
        path: str = "",
        times: int = 1,
    ) -> Fault:
        """Add a fault; a function is called before the request is handled, and spoils nothing.

        Args:
            fault: one of `NAMES`, an answer of the test's own, or a function.
            call: number of the request from now on, the next is 1.
            method, path: only such requests; the path is a regular expression.
            times: how often it strikes.

        Raises:
            ValueError: there is no fault of this name.
        """
        if isinstance(fault, str) and fault not in NAMES:
            raise ValueError(f"no fault {fault!r}; there are {', '.join(NAMES)}")
        name = fault if isinstance(fault, str) else ""
        act = fault if callable(fault) else None
        answer = fault if isinstance(fault, Answer) else None
        with self._lock:
            at = None if call is None else self._calls + call
            self.script.append(Fault(name, at, method, path, times, act, answer))
            return self.script[-1]

    def clear(self) -> None:
        """Forget the script."""
        with self._lock:
            self.script.clear()

    @property
    def looks_back(self) -> bool:
        """Whether a stale read may come, so that the past has to be kept."""
        return any(it.name == "stale-read" and it.struck < it.times for it in self.script)

    def next(self, method: str, path: str) -> list[Fault]:
        """Count a request and return what strikes it: functions, then at most one fault."""
        with self._lock:
            self._calls += 1
            found = [it for it in self.script if it.strikes(self._calls, method, path)]
            acts = [it for it in found if it.act]
            faults = [it for it in found if not it.act][:1]
            for it in (*acts, *faults):
                it.struck += 1
            return acts + faults
