"""Every key that `ml-gitops.toml` may have, read from the tables themselves, so it cannot lie."""

import ast
import inspect
import textwrap
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from ml_gitops.config.tables import Config
from ml_gitops.data.schema import Feature
from ml_gitops.document import Part
from ml_gitops.errors import ConfigError
from ml_gitops.model.metrics import MetricName

_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    date: "date",
}
_BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


class Key(Part):
    """One key of a table.

    Attributes:
        name: as the file spells it.
        type: what may stand there, in words.
        default: what holds without it, as TOML spells it; None if it must be given.
        meaning: what it decides.
    """

    name: str
    type: str
    default: str | None
    meaning: str


class Table(Part):
    """One table of the file, and every key that it may have."""

    name: str
    about: str
    required: bool
    keys: tuple[Key, ...]


def tables() -> tuple[Table, ...]:
    """Return every table of `ml-gitops.toml`, in the order in which people write them."""
    return tuple(_table(name, field) for name, field in Config.model_fields.items())


def look_up(asked: str | None) -> tuple[Table, ...]:
    """Return every table, one of them (`gate`), or one key of one (`gate.margin`).

    Raises:
        ConfigError: there is no such table or key.
    """
    if asked is None:
        return tables()
    name, _, key = asked.strip("[]").partition(".")
    found = next((one for one in tables() if one.name.partition(".")[0] == name), None)
    if found is None:
        raise _unknown(asked, "table", name, [one.name.partition(".")[0] for one in tables()])
    # The header of a feature names the column, so its keys stand one level deeper.
    key = key.rpartition(".")[2] if name == "features" else key
    if not key or (name == "features" and key not in {one.name for one in found.keys}):
        return (found,)
    kept = tuple(one for one in found.keys if one.name == key)
    if not kept:
        raise _unknown(asked, f"key in [{name}]", key, [one.name for one in found.keys])
    return (found.model_copy(update={"keys": kept}),)


def _table(name: str, field: FieldInfo) -> Table:
    part: type[Part] = Feature if name == "features" else _part(field.annotation)
    meanings = _docstrings(part)
    about = (inspect.getdoc(part) or "").partition("\n")[0].partition("; table `[")[0]
    return Table(
        name="features.NAME" if part is Feature else name,
        about=about.rstrip("."),
        required=field.is_required(),
        keys=tuple(
            Key(
                name=key,
                type=_words(one),
                default=None if one.is_required() else _toml(one.get_default()),
                meaning=meanings.get(key, ""),
            )
            for key, one in part.model_fields.items()
            # The header of a feature's table is its name.
            if (part, key) != (Feature, "name")
        ),
    )


def _part(annotation: Any) -> type[Part]:
    if not (isinstance(annotation, type) and issubclass(annotation, Part)):
        raise TypeError(f"{annotation} is no table")
    return annotation


def _docstrings(part: type[Part]) -> dict[str, str]:
    """Return the text below each field of a class, on one line."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(part))).body[0]
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    found = {}
    for field, text in pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                found[name] = " ".join(said.split())
    return found


def _words(field: FieldInfo) -> str:
    """Return what may stand there: `number above 0 and below 1`."""
    bounds = [
        f"{word} {getattr(one, bound):.15g}"
        for one in field.metadata
        for bound, word in _BOUNDS.items()
        if getattr(one, bound, None) is not None
    ]
    return " ".join([_kind(field.annotation), " and ".join(bounds)]).strip()


def _kind(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation == MetricName:
        return "metric"  # which ones there are depends on the task
    if origin is Annotated:
        return _kind(inner[0])
    if origin in (Union, UnionType):
        return " or ".join(_kind(one) for one in inner if one is not type(None))
    if origin is Literal:
        return "one of " + ", ".join(_toml(one) for one in inner)
    if origin is tuple:
        return f"list of {_kind(inner[0])}s"
    return _WORDS[annotation]


def _toml(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unknown(asked: str, what: str, word: str, known: list[str]) -> ConfigError:
    close = get_close_matches(word, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(known)}"
    return ConfigError(f"there is no {what} named {word!r}", hint=hint, where=asked)
