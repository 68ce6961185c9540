"""E06 to E10: the one archive of the run, and that what it holds can be read at all."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ml_gitops.document import sha256
from ml_gitops.model.run import RUN_FILES, Run
from ml_gitops.names import MODEL_FILE
from ml_gitops.report import Report
from ml_gitops.workflows.publishing.origin import JsonObject, Refusal

LARGEST = 512 << 20
"""Bytes of the archive, and of what it unpacks to."""
LARGEST_DOCUMENT = 8 << 20
DEEPEST, LONGEST_TEXT, LONGEST_LIST = 12, 4_000, 10_000
"""Of a document; those of ours are 7 deep, with texts of 200 characters and lists of 100."""
NEEDED = frozenset({*RUN_FILES, Run.file_name, Report.file_name})


def choose_artifact(run: int, listed: Sequence[JsonObject], model: str) -> JsonObject:
    """Return the newest artifact of a model, as GitHub lists them; a job may have run again.

    Its name is the one by which a merge finds what was reviewed: model, run key and content.

    Args:
        run: id of the run of the workflow that left it.
        listed: what that run left.
        model: its name.

    Raises:
        Refusal: E06 there is none that can be taken.
    """
    found = [it for it in listed if is_named(it.get("name"), model)]
    ours = [it for it in found if (it.get("workflow_run") or {}).get("id") == run]
    if not ours or len(ours) != len(found):
        raise Refusal("E06", "the run left no report")
    newest = max(ours, key=lambda it: (str(it.get("created_at")), int(it["id"])))
    if newest.get("expired") is not False:
        raise Refusal("E06", "what the run left has expired")
    size = newest.get("size_in_bytes")
    if type(size) is not int or not 0 < size <= LARGEST:
        raise Refusal("E06", "what the run left is too large")
    return newest


def is_named(name: object, model: str) -> bool:
    """Say whether an artifact is named like a run of a model."""
    pattern = re.escape(model) + "-[0-9a-f]{12}-[0-9a-f]{12}"
    return isinstance(name, str) and re.fullmatch(pattern, name) is not None


def hold_archive(archive: bytes, artifact: JsonObject) -> None:
    """Hold what was downloaded to what GitHub lists.

    Raises:
        Refusal: E07 it is too large, or another archive.
    """
    if len(archive) > LARGEST:
        raise Refusal("E07", "more came than fits")
    digest = artifact.get("digest")
    if not isinstance(digest, str) or digest != sha256(archive):
        raise Refusal("E07", "another archive came than GitHub lists")


def hold_files(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the files that a run leaves, of those that an archive holds.

    Raises:
        Refusal: E08 one is missing, unknown or too large.
    """
    if files.keys() != NEEDED:
        raise Refusal("E08", "the archive holds other files than a run leaves")
    documents = [content for name, content in files.items() if name != MODEL_FILE]
    if any(len(content) > LARGEST_DOCUMENT for content in documents):
        raise Refusal("E08", "a document is too large")
    if not files[MODEL_FILE]:
        raise Refusal("E08", "the model is empty")
    return dict(sorted(files.items()))


def hold_document(content: bytes) -> Any:
    """Read JSON that means one thing to everybody.

    Raises:
        Refusal: E09 it does not; E10 it holds more than any document of ours.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("E09", "a document is no UTF-8") from None
    if text.startswith("\ufeff") or "\0" in text:
        raise Refusal("E09", "a document holds a mark that no document has")
    if _depth(text) > DEEPEST:
        raise Refusal("E09", "a document is nested too deep")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_table,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        raise Refusal("E09", "a document is no JSON") from None
    _hold_sizes(value)
    return value


def _depth(text: str) -> int:
    """Return how deep brackets nest, before anything is parsed."""
    depth = deepest = 0
    quoted = escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = char == "\\", char != '"'
        elif char == '"':
            quoted = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise Refusal("E09", "a document says something twice")
    return table


def _no_constant(_: str) -> float:
    raise Refusal("E09", "a document holds what is no number")


def _whole(digits: str) -> int:
    if len(digits) > 18:
        raise Refusal("E09", "a document holds a number that is too long")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value) or len(digits) > 40:
        raise Refusal("E09", "a document holds a number that is too large")
    return value


def _hold_sizes(value: Any) -> None:
    """Refuse texts and lists that are longer than any of ours; the form itself is closed."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and len(one) > LONGEST_TEXT:
            raise Refusal("E10", "a document holds a text that is too long")
        if isinstance(one, (list, dict)):
            if len(one) > LONGEST_LIST:
                raise Refusal("E10", "a document holds a list that is too long")
            waiting += [*one, *one.values()] if isinstance(one, dict) else one
