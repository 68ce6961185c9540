"""A forge that dies: before or after the n-th thing that it was asked to change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from ml_gitops.adapters.github.connect import GitHub
from ml_gitops.cli.setting import Setting

CHANGES = frozenset(
    {
        # of ports.Forge
        "commit",
        "propose",
        "open_pull_request",
        "update_pull_request",
        "mark_ready",
        "merge",
        "close",
        "comment",
        "edit_body",
        "edit_comment",
        "delete_comment",
        "review",
        "label",
        "open_issue",
        "update_issue",
        "create_tag",
        "create_release",
        "store_artifact",
        # of ports.Records
        "append",
    }
)
"""Every method that changes something; `test_every_change_is_watched` holds that it is all."""


class PowerCutError(BaseException):
    """The machine is gone: nothing of ours may catch this, as nothing catches `kill -9`."""


@dataclass
class Fuse:
    """When the power is cut.

    Attributes:
        at: the change at which it is, counted from 1; 0 for never.
        after: whether that change still reaches the forge.
        made: the changes that were asked for.
        writes: whether each is one; where requests are counted, some only read.
    """

    at: int = 0
    after: bool = False
    made: list[str] = field(default_factory=list)
    writes: list[bool] = field(default_factory=list)


class Wired:
    """A forge or a record of runs behind a fuse; everything else is the real one's.

    Args:
        inner: the real one.
        fuse: counts and cuts.
    """

    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        """Return what the real one has, watched if it changes something."""
        real = getattr(self._inner, name)
        if name not in CHANGES:
            return real

        def watched(*arguments: Any, **keywords: Any) -> Any:
            self._fuse.made.append(name)
            dies = len(self._fuse.made) == self._fuse.at
            if dies and not self._fuse.after:
                raise PowerCutError(f"before {name}")
            try:
                return real(*arguments, **keywords)
            finally:
                if dies:
                    raise PowerCutError(f"after {name}")

        return watched


@contextmanager
def wired(fuse: Fuse) -> Iterator[Fuse]:
    """Put every forge and every record that the command line makes behind a fuse, once."""
    with pytest.MonkeyPatch.context() as patch:
        for maker, name in ((Setting, "forge"), (Setting, "records"), *ON_GITHUB):
            patch.setattr(maker, name, _behind(fuse, getattr(maker, name)))
        yield fuse


ON_GITHUB = ((GitHub, "forge"), (GitHub, "records"))
"""What jobs without a checkout ask for; settings ask there, too."""


def _behind(fuse: Fuse, make: Callable[..., Any]) -> Callable[..., Any]:
    def wired(*these: Any, **more: Any) -> Any:
        made = make(*these, **more)
        return made if isinstance(made, Wired) else Wired(made, fuse)

    return wired
