"""What differs between two trainings, in words: which files, which parameters, which rows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_gitops.data.lock import DataLock
from ml_gitops.model.lineage import Lineage

MOST = 5
"""How many files or keys are named; the diff has all of them."""


@dataclass(frozen=True)
class Inputs:
    """What a lineage keeps as digests only, where it can still be read.

    Attributes:
        params: the hyper-parameters; None if nobody has them any more.
        contract: the config tables that shape training; likewise.
        lock: the rows; likewise.
    """

    params: Mapping[str, Any] | None = None
    contract: Mapping[str, Any] | None = None
    lock: DataLock | None = None


def tell_changes(
    now: Lineage, then: Lineage, ours: Inputs | None = None, theirs: Inputs | None = None
) -> tuple[str, ...]:
    """Say one sentence for every input that differs, such as `hyper-parameters: trees 300 → 5`.

    Args:
        now, then: what went into the two trainings.
        ours, theirs: their inputs in full, as far as they are known.
    """
    ours, theirs = ours or Inputs(), theirs or Inputs()
    said = {
        "code": _listed(_files(now.sources, then.sources)),
        "hyper-parameters": _keys(ours.params, theirs.params),
        "contract": _keys(ours.contract, theirs.contract),
        "data": _rows(ours.lock, theirs.lock),
        "environment": _listed(_versions(now, then)),
    }
    return tuple(f"{name}: {said[name]}" if said[name] else name for name in now.changes_from(then))


def _files(now: Mapping[str, str], then: Mapping[str, str]) -> Iterator[str]:
    for path in sorted({*now, *then}):
        if path not in then:
            yield f"{path} is new"
        elif path not in now:
            yield f"{path} is gone"
        elif now[path] != then[path]:
            yield f"{path} changed"


def _keys(now: Mapping[str, Any] | None, then: Mapping[str, Any] | None) -> str:
    if now is None or then is None:
        return ""
    return _listed(differing(now, then)) or "the same values, written in another way"


def differing(now: Mapping[str, Any], then: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield what became of every key, by its dotted path: `forest.trees 300 → 5`.

    Args:
        now, then: tables of plain values; a list of named tables counts as a table.
        path: where they stand.
    """
    for key in dict.fromkeys([*then, *now]):
        name = f"{path}.{key}" if path else str(key)
        old, new = _table(then.get(key)), _table(now.get(key))
        if key not in then:
            yield f"{name} is new" + ("" if isinstance(new, Mapping) else f", {_text(new)}")
        elif key not in now:
            yield f"{name} is gone" + ("" if isinstance(old, Mapping) else f", it was {_text(old)}")
        elif isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from differing(new, old, name)
        elif old != new:
            yield f"{name} {_text(old)} → {_text(new)}"


def _table(value: Any) -> Any:
    """Return a list of named tables by name, and all else as it is."""
    if isinstance(value, Sequence) and value and all(isinstance(one, Mapping) for one in value):
        return {str(one.get("name", place)): one for place, one in enumerate(value)}
    return value


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or "none"
    return json.dumps(value, default=str)


def _rows(now: DataLock | None, then: DataLock | None) -> str:
    if now is None or then is None:
        return ""
    if now.window == then.window:
        return f"other rows of {now.window}, {then.rows:,} → {now.rows:,}"
    return f"{then.rows:,} rows of {then.window} → {now.rows:,} rows of {now.window}"


def _versions(now: Lineage, then: Lineage) -> Iterator[str]:
    ours, theirs = ({**one.environment, "ml-gitops": one.product} for one in (now, then))
    for one in differing(ours, theirs):
        # A lock file is known by its digest, which tells a reader nothing.
        yield f"{one.split()[0]} changed" if "sha256:" in one else one


def _listed(found: Iterator[str]) -> str:
    every = list(found)
    more = [f"and {len(every) - MOST} more"] if len(every) > MOST else []
    return "; ".join([*every[:MOST], *more])
