"""The reference of the config: complete, in words, and true of the tables it is read from."""

import tomllib

import pytest

from ml_gitops.config import parse_config
from ml_gitops.config.reference import Key, Table, look_up, tables
from ml_gitops.config.tables import Config
from ml_gitops.data.schema import Feature
from ml_gitops.errors import ConfigError
from tests.builders import TABLES, config_text

KEYS = [(table, key) for table in tables() for key in table.keys]


@pytest.mark.parametrize(
    ("table", "key"), KEYS, ids=[f"{table.name}.{key.name}" for table, key in KEYS]
)
def test_every_key_says_what_it_means(table: Table, key: Key) -> None:
    """Every key of every table has a sentence, and a type in words."""
    assert key.meaning.endswith(".")
    assert len(key.meaning) > 10
    assert key.type


def test_no_key_is_left_out() -> None:
    """Tables and keys are those that the config accepts, in its order."""
    named = {table.name: [key.name for key in table.keys] for table in tables()}

    assert list(named) == [
        "features.NAME" if name == "features" else name for name in Config.model_fields
    ]
    assert named.pop("features.NAME") == [name for name in Feature.model_fields if name != "name"]
    for name, keys in named.items():
        part = Config.model_fields[name].annotation
        assert keys == list(getattr(part, "model_fields", ()))


def test_the_defaults_it_tells_change_nothing() -> None:
    """A config that spells every default out is the config without them."""
    told = {
        table.name: {
            key.name: tomllib.loads(f"value = {key.default}")["value"]
            for key in table.keys
            if key.default not in (None, "not set")
        }
        for table in tables()
        if table.name != "features.NAME"
    }
    smallest = {name: TABLES[name] for name in TABLES}

    spelled = {name: {**keys, **smallest.get(name, {})} for name, keys in told.items()}

    assert parse_config(config_text(**spelled)) == parse_config(config_text())


def test_the_keys_it_calls_required_are() -> None:
    """Without a key that is called required, the config is refused; that key is named."""
    for table, key in KEYS:
        if key.default is None and table.name != "features.NAME":
            with pytest.raises(ConfigError, match=key.name):
                parse_config(config_text(**{table.name: {key.name: None}}))


def test_types_are_words_and_bounds() -> None:
    """What may stand there reads as people say it."""
    types = {f"{table.name}.{key.name}": key.type for table, key in KEYS}

    assert types["gate.margin"] == "number above 0 and below 1"
    assert types["model.seed"] == "whole number at least 0 and below 4294967296"
    assert types["model.task"] == 'one of "binary", "multiclass", "regression"'
    assert types["data.start"] == "date"
    assert types["features.NAME.values"] == "list of texts"
    assert types["gate.metric"] == "metric"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("gate.margin", [("gate", ["margin"])]),
        ("[delivery]", [("delivery", ["environments"])]),
        ("features.origin.values", [("features.NAME", ["values"])]),
        ("features.nullable", [("features.NAME", ["nullable"])]),
    ],
)
def test_one_key_can_be_asked_for(asked: str, expected: list[tuple[str, list[str]]]) -> None:
    """A table or a key is found however the file spells it."""
    assert [(one.name, [key.name for key in one.keys]) for one in look_up(asked)] == expected


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("gate.margn", "no key in [gate] named 'margn'; did you mean 'margin'?"),
        ("gaet", "no table named 'gaet'; did you mean 'gate'?"),
        ("moon", "use one of model, data, features"),
    ],
)
def test_what_is_not_there_is_said(asked: str, said: str) -> None:
    """A word that no table has is refused with the one that was meant."""
    with pytest.raises(ConfigError) as refused:
        look_up(asked)

    assert said in str(refused.value)
