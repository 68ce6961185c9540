"""How much a request may hold is known before it is parsed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_gitops.serving.requests import holds_more

TEXTS = st.text(st.sampled_from('",\\\\{}[]: aü\\n'), max_size=12)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
)


def commas(value: Any) -> int:
    """Return how many commas JSON needs for a value, those of its texts left out."""
    if not isinstance(value, (list, dict)):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return max(len(value) - 1, 0) + sum(map(commas, inner))


@given(VALUES)
def test_only_commas_between_values_are_counted(value: Any) -> None:
    """Whatever stands in texts and keys, quoted signs too, neither adds a value nor hides one."""
    content = json.dumps(value, ensure_ascii=False).encode()
    held = commas(value) + 1

    assert not holds_more(content, held)
    assert holds_more(content, held - 1)


@pytest.mark.parametrize("end", [b"", b"\\"])
def test_what_is_no_json_is_counted_once_through(end: bytes) -> None:
    """A text without an end hides the rest, and is not looked through again from each quote."""
    flood = b"," * 10 + b'"' + b'\\"' * 2**20 + end

    assert holds_more(flood, 5)
    assert not holds_more(flood + b"," * 20, 20)
