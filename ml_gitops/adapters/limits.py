"""What every forge accepts: the limits of GitHub, so that what fits anywhere fits there."""

from typing import Any, get_args

from ml_gitops.errors import ForgeError

BOT_BRANCHES = "ml-gitops/"
"""Branches under this prefix belong to the bot; they go when their pull request does."""
MAX_TITLE = 256
MAX_BODY = 65_536
"""Characters."""


def checked_title(title: str) -> str:
    """Return a title as one line.

    Raises:
        ForgeError: it is empty, or longer than a forge accepts.
    """
    line = " ".join(title.split())
    if not 0 < len(line) <= MAX_TITLE:
        raise ForgeError(
            f"a title has {len(line)} characters", hint=f"write 1 to {MAX_TITLE} of them"
        )
    return line


def checked_body(body: str) -> str:
    """Return a text.

    Raises:
        ForgeError: it is longer than a forge accepts.
    """
    if len(body) > MAX_BODY:
        raise ForgeError(f"a text has {len(body)} characters", hint=f"cut it to {MAX_BODY}")
    return body


def checked_choice(value: str, choices: Any) -> None:
    """Refuse a word that is not among the words of a `Literal`.

    Raises:
        ForgeError: it is not.
    """
    words = get_args(choices)
    if value not in words:
        raise ForgeError(f"{value!r} is none of {', '.join(words)}", hint="choose one of them")
