"""The config: defaults, contract, and lines that are right however the file is laid out."""

import tomllib
from collections.abc import Callable
from datetime import date

import pytest

from ml_gitops.config import parse_config, parse_params
from ml_gitops.config.toml import place
from ml_gitops.errors import ConfigError
from tests.builders import TABLES, config_text


def refusal(text: str | bytes) -> ConfigError:
    """Return what is said of a config that does not hold."""
    with pytest.raises(ConfigError) as refused:
        parse_config(text)
    return refused.value


def test_the_smallest_config_has_every_default() -> None:
    """Model, data and one feature are enough; every policy has its defaults."""
    text = config_text(**{name: dict.fromkeys(TABLES[name]) for name in list(TABLES)[5:]})

    config = parse_config(text)

    assert config.model.pipeline == "model/pipeline.py:build_pipeline"
    assert config.monitor.window_days == 7
    assert config.gate.champion == "production"
    assert config.delivery.environments == ("staging", "production")
    assert config.health.minimum_labelled == 100


def test_features_keep_the_order_of_the_file() -> None:
    """The service asks for features in the order that people wrote."""
    schema = parse_config(config_text()).data_schema

    assert schema.feature_names == ["load", "wear", "plan"]
    assert (schema.target, schema.id, schema.time) == ("left", "customer", "asked")
    assert schema.forbidden == ("refund",)


def test_bytes_text_and_line_ends_of_any_editor_read_the_same() -> None:
    """A byte order mark and Windows line ends change nothing."""
    text = config_text()

    windows = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()

    assert parse_config(windows) == parse_config(text)


def test_columns_may_have_any_name_that_can_be_seen() -> None:
    """Blanks inside, dots, quotes and other alphabets are names."""
    config = parse_config(config_text(features={'"per cent. \\"é\\" 漢"': {"type": "number"}}))

    assert config.data_schema.feature_names[-1] == 'per cent. "é" 漢'


@pytest.mark.parametrize(
    "path", ["model.py:f", "a/b.py:f", "./a/b.py:f", "src/my model/x.py:build", "é/x.py:f"]
)
def test_references_inside_are_accepted(path: str) -> None:
    """Any file of the repository may hold the pipeline."""
    assert parse_config(config_text(model={"pipeline": path})).model.pipeline == path


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"model": {"about": "Other words", "owner": "me"}}, True),
        ({"model": {"name": "other"}}, True),
        ({"features": {"load": {"about": "kilograms"}}}, True),
        ({"data": {"start": date(2023, 1, 1)}}, True),
        ({"gate": {"margin": 0.1}}, True),
        ({"monitor": {"window_days": 30}}, True),
        ({"model": {"seed": 1}}, False),
        ({"data": {"holdout_days": 7}}, False),
        ({"features": {"load": {"maximum": 60}}}, False),
        ({"features": {"load": {"type": "integer"}}}, False),
        ({"parity": {"tolerance": 0.1}}, False),
    ],
)
def test_the_contract_holds_what_shapes_training(
    changes: dict[str, dict[str, object]], *, same: bool
) -> None:
    """Words, gates and windows do not ask for another model; types, seeds and holdouts do."""
    before = parse_config(config_text()).contract

    after = parse_config(config_text(**changes)).contract

    assert (after == before) is same


def test_the_order_of_features_is_part_of_the_contract() -> None:
    """Swapped features are another model, though every table is the same."""
    text = config_text()
    tables = text.split("\n\n")
    swapped = "\n\n".join([*tables[:2], tables[3], tables[2], *tables[4:]])

    assert tomllib.loads(swapped) == tomllib.loads(text)
    assert parse_config(swapped).contract != parse_config(text).contract


def test_lines_are_right_behind_values_of_several_lines() -> None:
    """Text that looks like keys and headers does not lead the finger astray."""
    trap = '"""\n[data]\nholdout_days = 0\n"""'
    text = config_text().replace('"Whether a customer leaves"', trap)
    text = text.replace('["refund"]', '[\n  "refund",  # ]\n  "left",\n]')

    error = refusal(text.replace("holdout_days = 14", "holdout_days = 0"))
    contradiction = refusal(text)

    assert error.where == "ml-gitops.toml:14"
    assert contradiction.where == "ml-gitops.toml:15"
    assert "forbidden names 'left'" in contradiction.problem


def test_lines_are_right_in_inner_and_dotted_tables() -> None:
    """A key has its line however its table is spelled."""
    inner = config_text() + "gate = 1\n"
    dotted = "gate.margin = 3\n" + config_text()
    inline = "gate = { slice_margin = 1, margin = 3 }\n" + config_text()
    quoted = config_text() + '["gate"]\n# why\n\n"margin" = 3\n'

    assert refusal(dotted).where == refusal(inline).where == "ml-gitops.toml:1"
    assert refusal(quoted).where == f"ml-gitops.toml:{config_text().count(chr(10)) + 4}"
    assert "rollback.gate" in refusal(inner).problem


def test_strange_line_breaks_are_not_counted() -> None:
    """Only a line feed ends a line of TOML; separators inside of text do not."""
    text = config_text(model={"about": "one\u2028two\u0085three"})

    error = refusal(text.replace("holdout_days = 14", "holdout_days = 0"))

    assert error.where == "ml-gitops.toml:11"


def test_a_misspelt_key_comes_before_the_one_it_leaves_missing() -> None:
    """`targett` is a slip; that `target` is missing follows from it."""
    error = refusal(config_text().replace("target =", "targett ="))

    assert error.problem == "unknown key 'data.targett'"
    assert error.hint == "did you mean 'target'?"


def test_an_unrelated_key_does_not_hide_what_is_missing() -> None:
    """A key that is close to nothing is not offered as the one that is missing."""
    error = refusal(config_text(data={"target": None, "colour": 3}))

    assert error.problem == "[data] has no 'target'"


@pytest.mark.parametrize("line", [0, 1, 7, 19, 40])
def test_the_line_of_broken_utf8_is_named(line: int) -> None:
    """The line that holds the first broken byte is named."""
    lines = config_text().encode().split(b"\n")
    lines[line] += b"# \xff"

    error = refusal(b"\n".join(lines))

    assert error.where == f"ml-gitops.toml:{line + 1}"
    assert "UTF-8" in error.problem


def test_parameters_are_any_toml() -> None:
    """Hyper-parameters are the author's own; only their form is ours to judge."""
    assert parse_params(b"C = 0.5\n[tree]\ndepth = 3\n", where="params.toml") == {
        "C": 0.5,
        "tree": {"depth": 3},
    }
    assert parse_params("", where="params.toml") == {}
    with pytest.raises(ConfigError, match=r"^p\.toml:2: b has no value; "):
        parse_params("a = 1\nb = \n", where="p.toml")
    with pytest.raises(ConfigError, match=r"^p\.toml:1: this is not UTF-8; "):
        parse_params(b"\xff", where="p.toml")


def test_a_key_keeps_its_line_when_its_outer_table_comes_later() -> None:
    """TOML allows `[features]` behind `[features.load]`; the longest spelled path is the place."""
    text = config_text().replace("minimum = -50", 'minimum = "low"') + "[features]\n"

    assert refusal(text).where == "ml-gitops.toml:16"


# What it costs to name a line


LONG = {
    "a long list": lambda n: "x = [\n" + "1,\n" * n + "]\n",
    "a list of texts": lambda n: "x = [\n" + '"a # b [c",\n' * n + "]\n",
    "a long text": lambda n: 'x = """\n' + "a ] b\n" * n + '"""\n',
    "a text nobody ends": lambda n: 'x = """' + '\\"""' * n,
    "half quotes": lambda n: '"\\"' * n + "\n",
    "open brackets": lambda n: "x = " + "[" * n + "\n",
    "many keys": lambda n: "".join(f"k{i} = 1\n" for i in range(n)),
}


@pytest.mark.parametrize("make", LONG.values(), ids=LONG)
def test_naming_a_line_reads_every_character_once(
    make: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a file is laid out, the parser is given no more than the file holds."""
    given: list[int] = []
    read = tomllib.loads

    def counted(text: str) -> dict[str, object]:
        given.append(len(text))
        return read(text)

    monkeypatch.setattr(tomllib, "loads", counted)
    text = make(2_000)

    place(text, "x.toml", ("nowhere",))

    assert 0 < sum(given) <= len(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('x = ["""a"""", "[b"]\ny = 1\n', 2),
        ("x = '''a''''\ny = 1\n", 2),
        ('x = """\n[no]\ny = 2\n"""\ny = 1\n', 5),
        ('x = "a\\"]" # [\ny = 1\n', 2),
        ("x = [ # ]\n 1 ]\ny = 1\n", 3),
        ("x = {a = [1,\n2]}\ny = 1\n", 3),
    ],
)
def test_statements_end_where_toml_ends_them(text: str, line: int) -> None:
    """Brackets, quotes and marks of comments inside of texts do not count."""
    assert tomllib.loads(text)["y"] == 1
    assert place(text, "x", ("y",)) == f"x:{line}"


@pytest.mark.parametrize("key", ["a" + ".a" * 50_000 + " = 1", "[a" + '."a"' * 50_000 + "]"])
def test_a_key_without_end_is_refused_before_it_is_parsed(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser would work for minutes on one line; it is never asked."""
    monkeypatch.setattr(tomllib, "loads", lambda _: pytest.fail("it was parsed"))

    refused = refusal(f"# a file\n{key}\n")

    assert str(refused).startswith("ml-gitops.toml:2: a value is nested or long beyond reason; ")
