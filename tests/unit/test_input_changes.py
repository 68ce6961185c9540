"""What differs between two trainings, named so that a reviewer knows what to look at."""

from datetime import date
from typing import Any

import pytest

from ml_gitops.data.lock import DataLock
from ml_gitops.data.schema import Window
from ml_gitops.document import sha256
from ml_gitops.model.input_changes import Inputs, tell_changes
from ml_gitops.model.lineage import Lineage, trace


def lock(until: date = date(2024, 3, 1), rows: int = 1800, content: bytes = b"rows") -> DataLock:
    """Return a lock of the rows until a day."""
    return DataLock(
        source="model/data.py:load",
        window=Window(start=date(2024, 1, 1), until=until),
        rows=rows,
        digest=sha256(content),
        schema_digest=sha256(b"columns"),
    )


def lineage(**changes: Any) -> Lineage:
    """Return a lineage with some inputs changed."""
    inputs: dict[str, Any] = {
        "sources": {"model/data.py": b"d", "model/pipeline.py": b"p"},
        "params": b"trees = 300",
        "contract": {"seed": 0},
        "lock": lock(),
        "environment": {"python": "3.11", "uv.lock": sha256(b"a")},
        "product_version": "1.4.2",
    }
    return trace(**{**inputs, **changes})


FEATURES = {
    "features": [
        {"name": "temp", "maximum": 120, "values": None},
        {"name": "wind", "maximum": 90, "values": None},
    ]
}
CASES: dict[str, tuple[dict[str, Any], Inputs, Inputs, str]] = {
    "files": (
        {"sources": {"model/data.py": b"e", "model/new.py": b""}},
        Inputs(),
        Inputs(),
        "code: model/data.py changed; model/new.py is new; model/pipeline.py is gone",
    ),
    "many files": (
        {"sources": {f"{n}.py": b"" for n in range(9)}},
        Inputs(),
        Inputs(),
        ("code: 0.py is new; 1.py is new; 2.py is new; 3.py is new; 4.py is new; and 6 more"),
    ),
    "parameters": (
        {"params": b"trees = 5"},
        Inputs(params={"forest": {"trees": 5}, "rate": 0.1, "warm": True}),
        Inputs(params={"forest": {"trees": 300}, "depth": 4, "warm": True}),
        "hyper-parameters: forest.trees 300 → 5; depth is gone, it was 4; rate is new, 0.1",
    ),
    "only a comment": (
        {"params": b"trees = 300  # enough"},
        Inputs(params={"trees": 300}),
        Inputs(params={"trees": 300}),
        "hyper-parameters: the same values, written in another way",
    ),
    "parameters that nobody has any more": (
        {"params": b"trees = 5"},
        Inputs(params={"trees": 5}),
        Inputs(),
        "hyper-parameters",
    ),
    "a feature's bound": (
        {"contract": {"seed": 1}},
        Inputs(contract={"features": [{"name": "temp", "maximum": 130, "values": ["a"]}]}),
        Inputs(contract=FEATURES),
        (
            'contract: features.temp.maximum 120 → 130; features.temp.values none → ["a"]; '
            "features.wind is gone"
        ),
    ),
    "a longer window": (
        {"lock": lock(date(2024, 4, 1), 2730)},
        Inputs(lock=lock(date(2024, 4, 1), 2730)),
        Inputs(lock=lock()),
        "data: 1,800 rows of 2024-01-01..2024-03-01 → 2,730 rows of 2024-01-01..2024-04-01",
    ),
    "another past": (
        {"lock": lock(rows=1801, content=b"other")},
        Inputs(lock=lock(rows=1801, content=b"other")),
        Inputs(lock=lock()),
        "data: other rows of 2024-01-01..2024-03-01, 1,800 → 1,801",
    ),
    "a library and a lock": (
        {"environment": {"python": "3.12", "uv.lock": sha256(b"b")}},
        Inputs(),
        Inputs(),
        "environment: python 3.11 → 3.12; uv.lock changed",
    ),
}


@pytest.mark.parametrize(("change", "ours", "theirs", "said"), CASES.values(), ids=CASES)
def test_a_change_is_named_to_the_key(
    change: dict[str, Any], ours: Inputs, theirs: Inputs, said: str
) -> None:
    """Files, keys, rows and versions, before and now; the bare name where nobody can tell."""
    assert tell_changes(lineage(**change), lineage(), ours, theirs) == (said,)


def test_equal_trainings_have_no_change() -> None:
    """Nothing is said of what is equal."""
    assert tell_changes(lineage(), lineage()) == ()
