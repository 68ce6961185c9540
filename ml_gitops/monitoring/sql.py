"""Names and values as SQL: quoted, in UTC, and exact to the last bit."""

from collections.abc import Sequence
from datetime import UTC, datetime


def identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a string for SQL."""
    return "'" + text.replace("'", "''") + "'"


def instant(time: datetime) -> str:
    """Return an instant as SQL, in UTC."""
    return f"TIMESTAMPTZ '{time.astimezone(UTC).isoformat(sep=' ')}'"


def doubles(values: Sequence[float]) -> str:
    """Return floats as an SQL list that reads back bit for bit."""
    # With an exponent a number is a double to DuckDB; without one it is a decimal, and rounded.
    texts = [text if "e" in (text := repr(value)) else f"{text}e0" for value in values]
    return f"[{', '.join(texts)}]::DOUBLE[]"
