"""GitHub's own GraphQL schema, held against every question and every answer."""

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSyntaxError,
    build_schema,
    execute,
    parse,
    validate,
)

from tests.github.answers import Answer
from tests.github.request import Request


class GraphContract:
    """Says what in a question or an answer GitHub's schema does not allow."""

    def __init__(self, file: Path) -> None:
        self._schema = build_schema(file.read_text(), assume_valid=True)
        self._wrong = lru_cache(256)(self._check)
        self._parsed = lru_cache(256)(parse)

    def request(self, request: Request) -> list[str]:
        """Return what is wrong with a question."""
        return list(self._wrong(str(request.json.get("query"))))

    def _check(self, text: str) -> tuple[str, ...]:
        try:
            return tuple(f"GraphQL: {it.message}" for it in validate(self._schema, parse(text)))
        except GraphQLSyntaxError as error:
            return (f"GraphQL: {error}",)

    def answer(self, request: Request, answer: Answer) -> list[str]:
        """Return what is wrong with an answer: it is asked the question once more."""
        document = answer.document
        if not isinstance(document, dict) or "errors" in document or not document.get("data"):
            return []
        done = execute(
            self._schema,
            self._parsed(str(request.json["query"])),
            root_value=document["data"],
            variable_values=request.json.get("variables"),
            field_resolver=_as_answered,
            type_resolver=_as_asked,
        )
        problems = [f"GraphQL answer: {it.message} at {it.path}" for it in done.errors or ()]
        if not problems and done.data != document["data"]:
            place = _difference(document["data"], done.data)
            problems.append(f"GraphQL answer: it holds what was not asked for at {place}")
        return problems


def _difference(one: Any, other: Any) -> str:
    """Return the path to where two documents differ first."""
    pairs: Any = ()
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        pairs = ((key, one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = ((str(at), *pair) for at, pair in enumerate(zip(one, other, strict=True)))
    for name, left, right in pairs:
        if left != right:
            return f"{name}/{_difference(left, right)}"
    return f"{one!r:.80} instead of {other!r:.80}"


def _as_answered(source: Any, info: GraphQLResolveInfo, **_: Any) -> Any:
    """Give what the answer has for a field."""
    if info.path.key not in source:
        raise KeyError(f"the answer has no {info.path.key}")
    return source[info.path.key]


def _as_asked(value: Any, info: GraphQLResolveInfo, kind: GraphQLAbstractType) -> str:
    """Say which type an answer is of.

    It says so, or the question expects one; else only fields that all types have are asked for.
    """
    if "__typename" in value:
        return str(value["__typename"])
    return next(_conditions(info, info.field_nodes), info.schema.get_possible_types(kind)[0].name)


def _conditions(info: GraphQLResolveInfo, nodes: Any) -> Any:
    """Yield the object types that fragments of a question are about."""
    for node in nodes:
        for it in node.selection_set.selections if node.selection_set else ():
            inside = info.fragments[it.name.value] if it.kind == "fragment_spread" else it
            if it.kind == "field":
                continue
            named = inside.type_condition
            if named and isinstance(info.schema.type_map[named.name.value], GraphQLObjectType):
                yield named.name.value
            yield from _conditions(info, [inside])


@cache
def load(file: Path) -> GraphContract:
    """Return the contract of a schema, read once in a process."""
    return GraphContract(file)
