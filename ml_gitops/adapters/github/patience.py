"""How long we wait for GitHub, all in all, and what we say when it is over."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ml_gitops.errors import TryAgain

BUDGET = 300.0
"""Seconds that one process spends on waiting for GitHub, at most."""
SECONDARY_LIMIT = 60.0
"""Seconds that GitHub asks to wait for where it names none."""
_FIRST, _LONGEST = 0.5, 30.0


@dataclass
class Patience:
    """A budget of seconds for failures, and the pauses between attempts.

    Args:
        budget: seconds for failed attempts and pauses of the whole process.
        between_writes: seconds that GitHub wants between two changes.
        clock, sleep: of this machine; the clock never goes back.
        jitter: returns 0 to 1, so that many clients do not come back at once.
    """

    budget: float = BUDGET
    between_writes: float = 1.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    _last_write: float | None = field(default=None, init=False)

    def before_write(self) -> None:
        """Wait until GitHub wants another change; this costs nothing of the budget."""
        now = self.clock()
        if self._last_write is not None:
            rest = self._last_write + self.between_writes - now
            if rest > 0:
                self.sleep(rest)
        self._last_write = self.clock()

    def after_failure(
        self, attempt: int, began: float, wait: float | None, *, limited: bool, give_up: TryAgain
    ) -> None:
        """Pause before the next attempt.

        Args:
            attempt: how many there were before it, from 0.
            began: when the failed one began, by the clock.
            wait: seconds that GitHub asked for.
            limited: whether a rate limit refused us.
            give_up: what to raise when the budget is used up.

        Raises:
            TryAgain: the pause would be longer than what is left.
        """
        self.budget -= max(0.0, self.clock() - began)
        if wait is None:
            first = SECONDARY_LIMIT if limited else _FIRST
            longest = first * 4 if limited else _LONGEST
            wait = min(longest, first * 2**attempt)
        pause = wait + self.jitter() * min(wait, _LONGEST) / 2
        if pause > self.budget:
            raise give_up from None
        self.sleep(pause)
        self.budget -= pause
