"""A small model repository of synthetic rows: quick to train, and bad luck can be ordered by date.

Every day of rows comes from its own seed, so any window gives the same rows whenever and however
often it is loaded, and days before a change are untouched by it. The model is a logistic
regression on two numbers and a string.
"""

import textwrap
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.pull_request import Actor

NAME = "churn"
START = date(2024, 1, 1)
UNTIL = date(2024, 3, 1)
"""Sixty days after START: the window that tests lock first."""

BOT = Actor(login="ml-gitops[bot]", bot=True)
PERSON = Actor(login="ada")

TABLES: dict[str, dict[str, Any]] = {
    "model": {"name": NAME, "task": "binary", "about": "Whether a customer leaves"},
    "data": {
        "start": START,
        "id": "customer",
        "time": "asked",
        "target": "left",
        "holdout_days": 14,
        "forbidden": ["refund"],
    },
    "features.load": {"type": "number", "minimum": -50, "maximum": 50},
    "features.wear": {"type": "number", "nullable": True},
    "features.plan": {"type": "string", "values": ["basic", "plus", "pro"]},
    "monitor": {"window_days": 7, "label_delay_days": 0},
    "health": {"minimum_labelled": 50},
    "drift": {"minimum_rows": 100},
    "retrain": {"minimum_rows": 100},
    "rollback": {"minimum_labelled": 100},
}
"""The tables of `ml-gitops.toml`; the minimums are low because the rows are few."""

PARAMS = "C = 1.0\nmax_iter = 200\n"

PIPELINE = '''\
"""How the model learns."""

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder


def build_pipeline(params):
    """Return the unfitted pipeline."""
    columns = ColumnTransformer(
        [
            ("numbers", SimpleImputer(strategy="median"), ["load", "wear"]),
            ("plan", OneHotEncoder(handle_unknown="ignore"), ["plan"]),
        ]
    )
    return Pipeline([("columns", columns), ("logistic", LogisticRegression(**params))])
'''

DATA = '''\
"""Customers, made from the date alone."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

ROWS_PER_DAY = {rows_per_day!r}
DRIFT_FROM = {drift_from}  # from this day on, customers carry more load; it means the same
DECAY_FROM = {decay_from}  # from this day on, wear makes them leave, and load does not
PLANS = np.array(["basic", "plus", "pro"])


def load(start, end):
    """Return the customers of the days in [start, end), in UTC."""
    days = [_day(start + timedelta(days=n)) for n in range((end - start).days)]
    return pd.concat(days, ignore_index=True) if days else _day(start).iloc[:0]


def _day(day):
    """Return the customers of one day; equal in every process and for every window."""
    random = np.random.default_rng(day.toordinal())
    n = ROWS_PER_DAY
    load, wear = random.normal(size=n), random.normal(size=n)
    plan = random.choice(3, size=n, p=[0.5, 0.3, 0.2])
    chance, gaps = random.random(n), random.random(n) < 0.05
    if DRIFT_FROM is not None and day >= DRIFT_FROM:
        load = load + 2.0
    decayed = DECAY_FROM is not None and day >= DECAY_FROM
    leaning = (3.0 * wear if decayed else 2.0 * load) + 0.6 * (plan - 1)
    left = chance < 1 / (1 + np.exp(-leaning))
    minutes = np.sort(random.integers(0, 24 * 60, size=n))
    return pd.DataFrame(
        {{
            "customer": [f"{{day:%Y%m%d}}-{{n:04d}}" for n in range(n)],
            "asked": pd.Timestamp(day) + pd.to_timedelta(minutes, unit="min"),
            "load": load,
            "wear": np.where(gaps, np.nan, wear),
            "plan": PLANS[plan],
            "refund": left * 10.0,
            "left": left,
        }}
    )
'''

CHECKS = '''\
"""What everybody knows of customers."""

from ml_gitops.checks import handles_unseen


def test_a_new_plan_is_answered(candidate, holdout):
    """A plan that training never saw gets an answer."""
    assert handles_unseen(candidate, holdout, ["plan"])
'''

IGNORED = ".ml-gitops/\nlive/\n__pycache__/\n"


def make_model_repo(
    path: Path,
    *,
    rows_per_day: int = 30,
    drift_from: date | None = None,
    decay_from: date | None = None,
    files: Mapping[str, str | None] | None = None,
    git: bool = True,
    **tables: Mapping[str, Any],
) -> Path:
    """Make a complete model repository, committed and pushed to a local forge of its own.

    Args:
        path: the folder to make; the forge is `.git/forge.git` in it.
        rows_per_day: 30 of them over 60 days are 1,800 rows.
        drift_from: first day on which the inputs lie elsewhere; what they mean stays.
        decay_from: first day on which another input decides, so that the model is of no use.
        files: path to text of more files, or None to leave one of the usual ones out.
        git: whether to make it a Git repository with a forge.
        tables: keys of the config by table; `None` removes a key.
    """
    texts: dict[str, str | None] = {
        "ml-gitops.toml": config_text(**tables),
        "params.toml": PARAMS,
        "model/__init__.py": "",
        "model/pipeline.py": PIPELINE,
        "model/data.py": data_text(rows_per_day, drift_from, decay_from),
        "checks/test_behaviour.py": CHECKS,
        ".gitignore": IGNORED,
        **(files or {}),
    }
    for name, text in texts.items():
        if text is not None:
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    if git:
        _commit(path)
    return path


def config_text(**tables: Mapping[str, Any]) -> str:
    """Return `ml-gitops.toml`: the usual tables with some keys changed; `None` removes one.

    Args:
        tables: such as `data={"holdout_days": 7}`; a feature is `features={"load": {...}}`.
    """
    features = tables.pop("features", {})
    changes = {**tables, **{f"features.{name}": keys for name, keys in features.items()}}
    names = [*TABLES, *(name for name in changes if name not in TABLES)]
    lines = []
    for name in names:
        keys = {**TABLES.get(name, {}), **changes.get(name, {})}
        lines.append(f"[{name}]")
        lines += [f"{key} = {_toml(value)}" for key, value in keys.items() if value is not None]
        lines.append("")
    return "\n".join(lines)


def data_text(
    rows_per_day: int = 30, drift_from: date | None = None, decay_from: date | None = None
) -> str:
    """Return `model/data.py`."""
    return DATA.format(
        rows_per_day=rows_per_day, drift_from=_date(drift_from), decay_from=_date(decay_from)
    )


def appended(text: str, addition: str) -> str:
    """Return a text with an indented addition at its end."""
    return text + "\n\n" + textwrap.dedent(addition)


def _commit(path: Path) -> None:
    """Make the folder a Git repository with one commit, and push it to a forge inside."""
    repository = Clone.create(path, clock=first_day, actor=PERSON)
    forge = path.resolve() / ".git" / "forge.git"
    LocalForge.create(forge, actor=BOT, clock=first_day)
    repository.commit_all("Start the model of churn")
    repository.set_remote(str(forge))
    repository.push("main")


def first_day() -> datetime:
    """Return the time at which the repository is made: the morning of UNTIL."""
    return datetime(UNTIL.year, UNTIL.month, UNTIL.day, 8, tzinfo=UTC)


def _toml(value: object) -> str:
    """Return a value as TOML spells it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _date(day: date | None) -> str:
    return f"date({day.year}, {day.month}, {day.day})" if day else "None"
