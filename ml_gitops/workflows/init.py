"""A model repository from the template, or what an existing repository is missing."""

import re
from collections.abc import Collection, Mapping

from ml_gitops.delivery.version import NAME
from ml_gitops.errors import ConfigError

CONFIG = "ml-gitops.toml"


def new_files(
    template: Mapping[str, bytes], existing: Collection[str], *, name: str
) -> dict[str, bytes]:
    """Return the files that make a folder a model repository, leaving what is there alone.

    Args:
        template: path and content of every file of the template.
        existing: paths that are there already; they are never touched.
        name: the model's name, in tags and pull requests.

    Raises:
        ConfigError: the name cannot stand in a tag.
    """
    if not re.fullmatch(NAME, name):
        raise ConfigError(
            f"{name!r} cannot be a model's name",
            hint="use small letters, digits and single hyphens, starting with a letter",
            where="--name",
        )
    files = {path: content for path, content in template.items() if path not in existing}
    if CONFIG in files:
        files[CONFIG] = _named(files[CONFIG].decode(), name).encode()
    return files


def _named(config: str, name: str) -> str:
    """Write the model's name into the config, once, in its table."""
    return re.sub(r'(?m)^(name\s*=\s*)"[^"]*"', rf'\g<1>"{name}"', config, count=1)
