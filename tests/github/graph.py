"""GraphQL over the same world: what it selects, and how errors stand beside half an answer."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.github import graph_text
from tests.github.answers import Answer, Refusal
from tests.github.graph_text import Misspelled, Selection, Text

Node = Mapping[str, Any]
"""What can be selected of a thing: field to value, or to a function of the arguments."""
Resolve = Callable[[dict[str, Any]], Any]
_ACTORS = {"User", "Bot", "Organization"}


class Hidden(Exception):
    """A field that stays empty, and why.

    Args:
        kind: as GitHub names it: NOT_FOUND, FORBIDDEN, UNPROCESSABLE.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Unknown(Exception):
    """A field that GitHub's schema does not have, or that we do not."""


def execute(text: str, variables: Mapping[str, Any], roots: Mapping[str, Node]) -> Answer:
    """Answer a text.

    Args:
        roots: `query` and `mutation`.
    """
    try:
        parsed = graph_text.parse(text)
        run = _Run(parsed, variables)
        data = run.select(roots[parsed.operation], parsed.selections, [])
    except (Misspelled, Unknown, KeyError) as problem:
        error = {"message": str(problem), "extensions": {"code": "undefinedField"}}
        return Answer(200, {"errors": [error]})
    except Refusal as refusal:
        return refusal.answer
    return Answer(200, {"data": data} | ({"errors": run.errors} if run.errors else {}))


class _Run:
    def __init__(self, text: Text, variables: Mapping[str, Any]) -> None:
        self._text = text
        self._variables = variables
        self.errors: list[dict[str, Any]] = []

    def select(self, node: Node, selections: Sequence[Selection], path: list[Any]) -> Any:
        found: dict[str, Any] = {}
        for it in selections:
            fragment = self._text.fragments[it.spread] if it.spread else it
            if fragment.kind:
                if _is(node["__typename"], fragment.kind):
                    _merge(found, self.select(node, fragment.inside, path))
                continue
            if it.name not in node:
                kind = node.get("__typename")
                raise Unknown(f"Field '{it.name}' doesn't exist on type '{kind}'")
            _merge(found, {it.alias: self._field(node, it, [*path, it.alias])})
        return found

    def _field(self, node: Node, it: Selection, path: list[Any]) -> Any:
        value = node[it.name]
        try:
            if callable(value):
                value = value(graph_text.value(it.arguments, self._variables))
        except Hidden as hidden:
            error = {"type": hidden.kind, "path": path, "message": str(hidden)}
            self.errors.append(error)
            return None
        return self._inside(value, it, path)

    def _inside(self, value: Any, it: Selection, path: list[Any]) -> Any:
        if isinstance(value, list):
            return [self._inside(one, it, [*path, n]) for n, one in enumerate(value)]
        if value is None or not isinstance(value, Mapping):
            return value
        return self.select(value, it.inside, path)


def connection(
    items: Sequence[Any], arguments: Mapping[str, Any], make: Callable[[Any], Node], kind: str
) -> Node:
    """Return a part of a list, as GitHub gives them out: at most 100."""
    start = 0
    if after := arguments.get("after"):
        start = int(base64.b64decode(after).decode().removeprefix("cursor:"))
    size = arguments.get("first") or arguments.get("last")
    if not size or size > 100:
        raise Hidden("EXCESSIVE_PAGINATION", "You must provide `first` or `last`, at most 100")
    if arguments.get("last"):
        start = max(0, len(items) - size)
    end = min(start + size, len(items))
    cursor = base64.b64encode(f"cursor:{end}".encode()).decode()
    return {
        "__typename": kind,
        "totalCount": len(items),
        "nodes": [make(it) for it in items[start:end]],
        "pageInfo": {
            "__typename": "PageInfo",
            "hasNextPage": end < len(items),
            "endCursor": cursor if end > start else None,
        },
    }


def _is(kind: str, wanted: str) -> bool:
    return kind == wanted or (wanted == "Actor" and kind in _ACTORS)


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put fields of a fragment beside those that are there, however deep they meet."""
    for name, value in more.items():
        old = into.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            _merge(old, value)
        else:
            into[name] = value
