"""What each table of the config may say alone, but not beside the others."""

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from ml_gitops.config.tables import LONGEST, Config
from ml_gitops.errors import ConfigError
from ml_gitops.model.metrics import metric_named

Contradiction = tuple[tuple[str, ...], str, str]
"""The key to change, what is wrong with it, and what to do."""


def contradictions(config: Config, tables: dict[str, Any]) -> Iterator[Contradiction]:
    """Yield what is wrong between tables, or between keys of one.

    Args:
        config: its tables, each of which holds.
        tables: the same as the file spells them, without defaults.
    """
    yield from _columns(config, tables)
    yield from _metrics(config)
    gate, delivery = config.gate, config.delivery
    for column in gate.slices:
        if column not in config.features:
            hint = _near(column, config.features, "name features of this file")
            yield ("gate", "slices"), f"gate.slices names {column!r}, which is no feature", hint
    if gate.champion not in delivery.environments:
        yield (
            ("gate", "champion") if "champion" in tables.get("gate", {}) else ("delivery",),
            f"gate.champion is {gate.champion!r}, which is no environment of [delivery]",
            f"use one of {', '.join(delivery.environments)}",
        )
    if config.sampled:
        problem = "data.sample is data.source: what is judged on a sample is never released"
        yield ("data", "sample"), problem, "leave it out, if anybody may see the rows"
    drift, health, days = config.drift, config.health, config.monitor.window_days
    if drift.warn_weight > drift.alarm_weight:
        problem = f"drift.warn_weight is above drift.alarm_weight = {drift.alarm_weight:g}"
        yield ("drift", "warn_weight"), problem, "warn before you alarm"
    if health.of * days > LONGEST:
        problem = f"health.of = {health.of} windows of {days} days are more than ten years"
        yield ("health", "of"), problem, "look at fewer or shorter windows"
    seen = health.of * days
    if config.rollback.minimum_days > seen:
        asked = config.rollback.minimum_days
        problem = f"rollback.minimum_days = {asked} is more than the {seen} days that are seen"
        yield ("rollback", "minimum_days"), problem, "lower it, or look at more windows"
    held = config.data.holdout_days
    if gate.units == "days" and gate.minimum_days > held:
        problem = f"gate.minimum_days = {gate.minimum_days} is more than data.holdout_days = {held}"
        spelled = "minimum_days" in tables.get("gate", {})
        place = ("gate", "minimum_days") if spelled else ("data", "holdout_days")
        yield place, f"{problem}: nothing could ever pass", "hold out more days"
    alarms = config.retrain.alarms
    if alarms > health.of:
        problem = f"retrain.alarms = {alarms} of health.of = {health.of} windows can never happen"
        yield ("retrain", "alarms"), problem, "lower it, or look at more windows"


def _columns(config: Config, tables: dict[str, Any]) -> Iterator[Contradiction]:
    """Yield columns that are given two parts, or that no model may see."""
    data = config.data
    taken = {data.target: "target", data.id: "id", data.time: "time"}
    if len(taken) < 3:
        yield ("data",), "id, time and target must be three different columns", "name them apart"
    for name in data.forbidden:
        if name in taken:
            problem = f"data.forbidden names {name!r}, which is the {taken[name]}"
            yield ("data", "forbidden"), problem, "remove it there"
    folded = Counter(name.casefold() for name in config.features)
    for name in config.features:
        here, hint = ("features", name), f"remove the table [features.{name}]"
        if "name" in tables["features"][name]:
            yield (*here, "name"), f"unknown key 'features.{name}.name'", "rename the table instead"
        if name in data.forbidden:
            problem = f"feature {name!r} is forbidden in [data]: it would leak the answer"
            yield here, problem, hint
        if name in taken:
            problem = f"column {name!r} is the {taken[name]} in [data] and cannot be a feature"
            yield here, problem, hint
        if folded[name.casefold()] > 1:
            problem = f"feature {name!r} differs from another in capital letters only"
            yield here, problem, "rename one; the monitor's engine cannot tell them apart"


def _metrics(config: Config) -> Iterator[Contradiction]:
    """Yield metrics that models of this task do not have."""
    task, gate = config.model.task, config.gate
    named = [("gate", "metric", gate.metric)] if gate.metric else []
    named += [("gate", "secondary", name) for name in gate.secondary or ()]
    named += [("health", "metrics", name) for name in config.health.metrics]
    for table, key, name in named:
        try:
            metric_named(name, task)
        except ConfigError as error:
            yield (table, key), f"{table}.{key}: {error.problem}", error.hint


def _near(word: str, known: dict[str, Any], otherwise: str) -> str:
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise
