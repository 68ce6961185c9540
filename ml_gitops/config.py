"""`ml-gitops.toml`: one model, every policy one table, none of them defined here.

A policy and its defaults live beside the code that applies them; this module
only assembles them and turns what is wrong into one line with file and line.
"""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any

from pydantic import Field, ValidationError, model_validator

from ml_gitops.data.schema import DataSchema, Feature, Task
from ml_gitops.delivery.deployment import DeliveryPolicy
from ml_gitops.delivery.version import NAME
from ml_gitops.document import Part
from ml_gitops.errors import ConfigError
from ml_gitops.model.gate import GatePolicy
from ml_gitops.monitoring.drift import DriftPolicy
from ml_gitops.monitoring.health import HealthPolicy
from ml_gitops.monitoring.retrain import RetrainPolicy
from ml_gitops.monitoring.rollback import RollbackPolicy
from ml_gitops.serving.parity import ParityPolicy

PATH = "ml-gitops.toml"
REFERENCE = r"^[\w./-]+\.py:[A-Za-z_]\w*$"


class ModelTable(Part):
    """Who the model is; table `[model]`."""

    name: str = Field(pattern=f"^{NAME}$")
    """Its name in tags, pull requests and logs: small letters, digits and hyphens."""
    task: Task
    """binary, multiclass or regression."""
    pipeline: str = Field(default="model/pipeline.py:build_pipeline", pattern=REFERENCE)
    """`file.py:function`; the function gets the parameters and returns a Pipeline."""
    params: str = "params.toml"
    """The file of hyper-parameters."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Given to every step that has a `random_state` and none of its own."""
    about: str = ""
    """One line for people: what it predicts, and for whom."""
    owner: str = ""
    """Who answers for it."""


class DataTable(Part):
    """Where rows come from, and what their columns mean; table `[data]`."""

    source: str = Field(default="model/data.py:load", pattern=REFERENCE)
    """`file.py:function`; the function gets two dates and returns the rows between them."""
    start: date
    """The first day the model may learn from."""
    id: str
    """Column that identifies a row; late labels are joined on it."""
    time: str
    """Column with the time of the prediction; windows are cut on it, in UTC."""
    target: str
    """Column that is predicted."""
    holdout_days: int = Field(default=14, ge=1)
    """The last days of the window are never trained on; the gate judges on them."""
    forbidden: tuple[str, ...] = ()
    """Columns that would leak the answer: the source may have them, no model sees them."""


class MonitorTable(Part):
    """Where production leaves its traces; table `[monitor]`."""

    log: str = "live/predictions/*.jsonl"
    """The prediction log: Parquet or JSON lines; a path, a glob or a URI."""
    labels: str = "live/labels/*.csv"
    """Late labels with the columns `id` and `target` of [data]: CSV, Parquet or JSON lines."""
    window_days: int = Field(default=7, ge=1)
    """Length of one window."""
    label_delay_days: int = Field(default=0, ge=0)
    """How long labels take; a retraining never locks days that are younger."""


class Config(Part):
    """Everything people decide about one model."""

    model: ModelTable
    data: DataTable
    features: dict[str, Feature] = Field(min_length=1)
    gate: GatePolicy = GatePolicy()
    parity: ParityPolicy = ParityPolicy()
    delivery: DeliveryPolicy = DeliveryPolicy()
    monitor: MonitorTable = MonitorTable()
    drift: DriftPolicy = DriftPolicy()
    health: HealthPolicy = HealthPolicy()
    retrain: RetrainPolicy = RetrainPolicy()
    rollback: RollbackPolicy = RollbackPolicy()

    @model_validator(mode="before")
    @classmethod
    def _name_features(cls, tables: Any) -> Any:
        """Give every `[features.NAME]` table its own name."""
        features = tables.get("features") if isinstance(tables, dict) else None
        if not isinstance(features, dict):
            return tables
        named = {
            name: {**table, "name": name} if isinstance(table, dict) else table
            for name, table in features.items()
        }
        return {**tables, "features": named}

    @property
    def data_schema(self) -> DataSchema:
        """The columns of the model's data."""
        return DataSchema(
            task=self.model.task,
            features=tuple(self.features.values()),
            target=self.data.target,
            id=self.data.id,
            time=self.data.time,
            forbidden=self.data.forbidden,
        )

    @property
    def source_roots(self) -> tuple[str, ...]:
        """The folders whose Python files make the model."""
        references = (self.model.pipeline, self.data.source)
        return tuple(sorted({str(PurePosixPath(path.split(":")[0]).parent) for path in references}))

    @property
    def contract(self) -> dict[str, Any]:
        """The tables that shape training: a change in them is another model."""
        return {
            "model": self.model.model_dump(mode="json", exclude={"about", "owner", "name"}),
            "data": self.data.model_dump(mode="json", exclude={"start"}),
            "features": [
                feature.model_dump(mode="json", exclude={"about"})
                for feature in self.features.values()
            ],
            "parity": self.parity.model_dump(mode="json"),
        }


def parse_config(text: str, *, where: str = PATH) -> Config:
    """Read the config.

    Args:
        text: the content of `ml-gitops.toml`.
        where: its path, for messages.

    Raises:
        ConfigError: naming file, line and key, with the remedy.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).partition(" (at line ")
        line = place.partition(",")[0]
        raise ConfigError(
            f"this is not TOML: {message[:1].lower()}{message[1:]}",
            hint="correct the line",
            where=f"{where}:{line}" if line else where,
        ) from None
    try:
        config = Config.model_validate(tables)
    except ValidationError as error:
        raise _explain(error, text, where) from None
    _check_columns(config, text, where)
    return config


def parse_params(text: str, *, where: str) -> dict[str, Any]:
    """Read the hyper-parameters.

    Raises:
        ConfigError: the file is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is not TOML: {error}", hint="correct it", where=where) from None


def _check_columns(config: Config, text: str, where: str) -> None:
    """Refuse columns that are given two parts, or that no model may see."""
    data = config.data
    taken = {data.target: "target", data.id: "id", data.time: "time"}
    for name in config.features:
        here = f"{where}:{_line(text, ('features', name))}"
        if name in data.forbidden:
            raise ConfigError(
                f"feature {name!r} is forbidden in [data]: it would leak the answer",
                hint=f"remove the table [features.{name}]",
                where=here,
            )
        if name in taken:
            raise ConfigError(
                f"column {name!r} is the {taken[name]} in [data] and cannot be a feature",
                hint=f"remove the table [features.{name}]",
                where=here,
            )
    if len(taken) < 3:
        raise ConfigError(
            "id, time and target must be three different columns",
            hint="name them apart in [data]",
            where=f"{where}:{_line(text, ('data',))}",
        )
    for column in config.gate.slices:
        if column not in config.features:
            known = get_close_matches(column, config.features, n=1)
            raise ConfigError(
                f"gate.slices names {column!r}, which is no feature",
                hint=f"did you mean {known[0]!r}?" if known else "name features of this file",
                where=f"{where}:{_line(text, ('gate', 'slices'))}",
            )


def _explain(error: ValidationError, text: str, where: str) -> ConfigError:
    """Turn the first problem of a config into one line with its remedy."""
    problem = error.errors(include_url=False)[0]
    path = tuple(str(part) for part in problem["loc"] if part != "[key]")
    key = ".".join(path)
    place = f"{where}:{_line(text, path)}"
    kind = problem["type"]
    if kind == "extra_forbidden":
        known = get_close_matches(path[-1], _known_keys(path[:-1]), n=1)
        hint = f"did you mean {known[0]!r}?" if known else "remove it"
        return ConfigError(f"unknown key {key!r}", hint=hint, where=place)
    if kind == "missing":
        table = f"[{'.'.join(path[:-1])}]" if len(path) > 1 else "the file"
        return ConfigError(f"{table} has no {path[-1]!r}", hint="add it", where=place)
    message = problem["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    value = problem.get("input")
    shown = f", not {value!r}" if isinstance(value, (str, int, float, bool)) else ""
    return ConfigError(f"{key}: {message}{shown}", hint="correct the value", where=place)


def _known_keys(path: tuple[str, ...]) -> list[str]:
    """Return the keys a table may have."""
    if not path:
        return list(Config.model_fields)
    if path[0] == "features":
        return [name for name in Feature.model_fields if name != "name"]
    field = Config.model_fields.get(path[0])
    table = field.annotation if field else None
    return list(table.model_fields) if isinstance(table, type) and issubclass(table, Part) else []


def _line(text: str, path: tuple[str, ...]) -> int:
    """Return the line of the longest part of a key path that the file spells out.

    TOML's parser does not tell lines, so headers and keys are read again here;
    values over several lines cannot hide a key because keys start a line.
    """
    best, depth = 1, 0
    for number, spelled in _spelled_keys(text):
        common = 0
        for ours, theirs in zip(path, spelled, strict=False):
            if ours != theirs:
                break
            common += 1
        if common == len(spelled) and common > depth:
            best, depth = number, common
    return best


def _spelled_keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield line number and full key path of every header and key."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[{1,2}([^\[\]]+)\]{1,2}\s*(#.*)?$", line)
        if header:
            table = _parts(header[1])
            yield number, table
            continue
        key = re.match(
            r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"))*)\s*=", line
        )
        if key:
            yield number, (*table, *_parts(key[1]))


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
