"""A model repository from the template, or what an existing repository is missing."""

import re
from collections.abc import Collection, Mapping

from ml_gitops.delivery.version import NAME
from ml_gitops.errors import ConfigError
from ml_gitops.names import CONFIG_FILE

PLACEHOLDER = "CHANGE_"
"""What the names begin with that are still to be filled in."""

FORM = """\
# One model, and every decision about it. Fill in what says CHANGE_: `ml-gitops check` names what is
# still missing, and `ml-gitops config` explains every key that there is.

[model]
name = "model"
task = "binary"              # or "multiclass", "regression"
# Your function, as file.py:function. It gets the hyper-parameters of params.toml as a dict, and
# returns an unfitted scikit-learn Pipeline.
pipeline = "model/pipeline.py:build_pipeline"

[data]
# Your function. It gets two dates, and returns a pandas DataFrame with the rows of the days from
# the first to before the second, in UTC. Pandas compares times with pd.Timestamp(start), not start.
source = "model/data.py:load"
start = 2024-01-01           # the first day that has rows
id = "CHANGE_id"             # tells rows apart; labels that come late are joined on it
time = "CHANGE_time"         # when the prediction is made; a time, not text
target = "CHANGE_target"     # what is predicted: true and false, a class, or a number
holdout_days = 14            # the last days: never trained on, the gate judges on them
forbidden = []               # columns that would leak the answer, because they are known later

# What the model sees, one line a column, in the order in which the service asks for them.
# Types: number, integer, boolean, string; a number or string may also say nullable = true.
[features]
CHANGE_feature = { type = "number" }
"""
"""The config of a repository that exists already: what only its people know is left open."""

FORM_PARAMS = """\
# What `build_pipeline` gets as a dict: one line a hyper-parameter.
"""


def form_files() -> dict[str, bytes]:
    """Return what a repository that exists needs besides its own code, to be filled in."""
    return {CONFIG_FILE: FORM.encode(), "params.toml": FORM_PARAMS.encode()}


def model_name(folder: str) -> str:
    """Return a folder's name as a model's: small letters, digits and single hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")


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
    if CONFIG_FILE in files:
        files[CONFIG_FILE] = _named(files[CONFIG_FILE].decode(), name).encode()
    return files


def _named(config: str, name: str) -> str:
    """Write the model's name into the config, once, in its table."""
    return re.sub(r'(?m)^(name\s*=\s*)"[^"]*"', rf'\g<1>"{name}"', config, count=1)
