"""The tables of `ml-gitops.toml`; a policy is defined beside the code that applies it."""

from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from ml_gitops.data.schema import ColumnName, DataSchema, Feature, Task
from ml_gitops.delivery.deployment import DeliveryPolicy
from ml_gitops.delivery.version import LONGEST_NAME, is_name
from ml_gitops.document import Part
from ml_gitops.model.policy import GatePolicy
from ml_gitops.monitoring.drift import DriftPolicy
from ml_gitops.monitoring.health import HealthPolicy
from ml_gitops.monitoring.retrain import RetrainPolicy
from ml_gitops.monitoring.rollback import RollbackPolicy
from ml_gitops.pull_request import BotPolicy
from ml_gitops.serving.parity import ParityPolicy

LONGEST = 3650
"""Days of any span: ten years."""


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError(
            f"{value!r} cannot stand in a tag; use small letters, digits and single hyphens, "
            "starting with a letter"
        )
    return value


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if not value.isprintable() or "\\" in value or not path.name:
        raise ValueError(f"{value!r} is no path; name a file of this repository, with slashes")
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{value!r} leaves the repository; name a file inside of it")
    return value


def _reference(value: str) -> str:
    path, _, function = _inside(value).partition(":")
    if not path.endswith(".py") or not function.isidentifier():
        raise ValueError(f"{value!r} is no function; write it like model/pipeline.py:function")
    return value


Reference = Annotated[str, AfterValidator(_reference)]
"""A function of the author's, as `file.py:function`."""


class ModelTable(Part):
    """Who the model is; table `[model]`."""

    name: Annotated[str, AfterValidator(_name)] = Field(max_length=LONGEST_NAME)
    """Its name in tags, pull requests and logs: small letters, digits and hyphens."""
    task: Task
    """What is predicted: yes or no, one of several classes, or a number."""
    pipeline: Reference = "model/pipeline.py:build_pipeline"
    """`file.py:function`; the function gets the parameters and returns an unfitted scikit-learn
    Pipeline."""
    params: Annotated[str, AfterValidator(_inside)] = "params.toml"
    """The file of hyper-parameters."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Given to every step that has a `random_state` and none of its own."""
    about: str = ""
    """One line for people: what it predicts, and for whom."""
    owner: str = ""
    """Who answers for it."""


class DataTable(Part):
    """Where rows come from, and what their columns mean; table `[data]`."""

    source: Reference = "model/data.py:load"
    """`file.py:function`; the function gets two dates and returns a DataFrame with the rows of
    the days from the first to before the second."""
    sample: Reference | None = None
    """Likewise, with rows that anybody may see: pull requests of forks and of Dependabot get no
    credentials, and load from here instead. What is judged on it is never released."""
    start: date
    """The first day the model may learn from."""
    id: ColumnName
    """Column that identifies a row; late labels are joined on it."""
    time: ColumnName
    """Column with the time of the prediction. Days are days in UTC, here and everywhere; a time
    without a zone is taken as UTC."""
    target: ColumnName
    """Column that is predicted."""
    holdout_days: int = Field(default=14, ge=1, le=LONGEST)
    """The last days of the window are never trained on; the gate judges on them."""
    forbidden: tuple[ColumnName, ...] = ()
    """Columns that would leak the answer: the source may have them, no model sees them."""


class MonitorTable(Part):
    """Where production leaves its traces; table `[monitor]`."""

    log: str = Field(default="live/predictions/*.jsonl", min_length=1)
    """The prediction log: Parquet or JSON lines; a path, a glob or a URI."""
    labels: str = Field(default="live/labels/*.csv", min_length=1)
    """Late labels with the columns `id` and `target` of [data]: CSV, Parquet or JSON lines."""
    arrived: ColumnName | None = None
    """Column of the labels that says when one became known: a monitor that looks back from a day
    knows those that came before it. Without it every label in the files is known."""
    window_days: int = Field(default=7, ge=1, le=LONGEST)
    """Length of one window."""
    label_delay_days: int = Field(default=0, ge=0, le=LONGEST)
    """How long labels take; a retraining never locks days that are younger."""
    overdue_days: int = Field(default=8, ge=1, le=LONGEST)
    """Days that the monitor may be silent: more than its schedule leaves between two looks. After
    them reports, releases, `status` and `doctor` say that it has stopped."""


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
    bot: BotPolicy = BotPolicy()

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
    def sampled(self) -> bool:
        """Whether rows are loaded from the sample."""
        return self.data.source == self.data.sample

    def on_sample(self) -> "Config":
        """Return the same with the sample as its source; itself, if it names none."""
        source = self.data.sample or self.data.source
        return self.model_copy(update={"data": self.data.model_copy(update={"source": source})})

    @property
    def contract(self) -> dict[str, Any]:
        """The tables that shape training: a change in them is another model."""
        return {
            "model": self.model.model_dump(mode="json", exclude={"about", "owner", "name"}),
            "data": self.data.model_dump(mode="json", exclude={"start", "sample"}),
            "features": [
                feature.model_dump(mode="json", exclude={"about"})
                for feature in self.features.values()
            ],
            "parity": self.parity.model_dump(mode="json"),
            # What is measured once, with the run: profile and evaluation.
            "gate": self.gate.model_dump(mode="json", include={"metric", "slices", "units"}),
        }
