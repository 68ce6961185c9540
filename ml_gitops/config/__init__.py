"""`ml-gitops.toml`: one model, every policy one table, none of them defined here.

A policy and its defaults live beside the code that applies them; this room
only assembles them and turns what is wrong into one line with file and line.
"""

from typing import Any

from pydantic import ValidationError

from ml_gitops.config.contradictions import contradictions
from ml_gitops.config.tables import Config
from ml_gitops.config.toml import decoded, explain, place, read_toml
from ml_gitops.data.schema import Feature
from ml_gitops.document import Part
from ml_gitops.errors import ConfigError
from ml_gitops.names import CONFIG_FILE

__all__ = ["Config", "parse_config", "parse_params"]


def parse_config(content: bytes | str, *, where: str = CONFIG_FILE) -> Config:
    """Read the config.

    Args:
        content: what stands in `ml-gitops.toml`.
        where: its path, for messages.

    Raises:
        ConfigError: naming file, line and key, with the remedy.
    """
    tables = read_toml(content, where=where)
    text = decoded(content)
    try:
        # Strictly: a number in quotes, or 1 for true, is a slip of the pen and not a wish.
        config = Config.model_validate(_tuples(tables), strict=True)
    except ValidationError as error:
        raise explain(error, text, where, _known_keys) from None
    for path, problem, hint in contradictions(config, tables):
        raise ConfigError(problem, hint=hint, where=place(text, where, path))
    return config


def parse_params(content: bytes | str, *, where: str) -> dict[str, Any]:
    """Read the hyper-parameters.

    Raises:
        ConfigError: the file is not TOML.
    """
    return read_toml(content, where=where)


def _known_keys(path: tuple[str, ...]) -> list[str]:
    """Return the keys a table may have."""
    if not path:
        return list(Config.model_fields)
    if path[0] == "features":
        return [name for name in Feature.model_fields if name != "name"] if len(path) == 2 else []
    field = Config.model_fields.get(path[0])
    table = field.annotation if field and len(path) == 1 else None
    return list(table.model_fields) if isinstance(table, type) and issubclass(table, Part) else []


def _tuples(value: Any, depth: int = 4) -> Any:
    """Return tables with lists as tuples, which cannot change; no table is deeper than that."""
    if isinstance(value, dict) and depth:
        return {name: _tuples(inner, depth - 1) for name, inner in value.items()}
    return tuple(value) if isinstance(value, list) else value
