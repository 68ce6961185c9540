"""Malformed configs: a good one, and one change each. The name is the case.

Each case is (name, line, change): the line that the message must name in the changed file.
`swap` replaces the first occurrence, `under` adds a line below a header, `end` adds at the end.
"""

from collections.abc import Callable

from tests.builders import config_text

GOOD = config_text()
LAST = GOOD.count("\n") + 1
"""The first line of what `end` adds."""

Change = Callable[[str], str]


def swap(old: str, new: str) -> Change:
    """Replace a text that the good config has."""
    assert old in GOOD, old
    return lambda text: text.replace(old, new, 1)


def under(table: str, line: str) -> Change:
    """Add a line under a header."""
    return swap(f"[{table}]\n", f"[{table}]\n{line}\n")


def end(addition: str) -> Change:
    """Add lines at the end."""
    return lambda text: text + addition + "\n"


def only(whole: str) -> Change:
    """Replace everything."""
    return lambda _: whole


def without(first: str, until: str) -> Change:
    """Cut from one header to another."""
    return lambda text: text[: text.index(first)] + text[text.index(until) :]


GATE, DELIVERY, PARITY = "[gate]\n", "[delivery]\n", "[parity]\n"

MALFORMED: list[tuple[str, int, Change]] = [
    # Nothing, or not this file
    ("empty file", 1, only("")),
    ("comment only", 1, only("# nothing\n")),
    ("JSON instead", 1, only('{"model": 1}')),
    ("YAML instead", 1, only("model:\n  name: x\n")),
    ("words instead", 1, only("Dear reader,\n")),
    # Tables
    ("no model table", 1, without("[model]", "[data]")),
    ("no data table", 1, without("[data]", "[features.load]")),
    ("no features", 1, without("[features.load]", "[monitor]")),
    (
        "empty features",
        14,
        lambda t: without("[features.load]", "[monitor]")(t).replace(
            "[monitor]", "[features]\n[monitor]"
        ),
    ),
    (
        "features as a list",
        1,
        lambda t: 'features = ["load"]\n' + without("[features.load]", "[monitor]")(t),
    ),
    ("model as text", 1, lambda t: 'model = "x"\n' + t[t.index("[data]") :]),
    ("model as a list of tables", 1, swap("[model]", "[[model]]")),
    ("feature as a list of tables", LAST, end('[[features.more]]\ntype = "number"')),
    ("unknown table", LAST, end("[weather]\nx = 1")),
    ("misspelt table", LAST, end("[monitr]\nwindow_days = 7")),
    ("gate in plural", LAST, end("[gates]\nmargin = 0.1")),
    ("model misspelt", 1, swap("[model]", "[modle]")),
    ("key before any table", 1, lambda t: 'name = "x"\n' + t),
    ("schema version is for machines", 1, lambda t: "schema_version = 1\n" + t),
    ("table as a number", 1, lambda t: "rollback = 3\n" + t[: t.index("[rollback]")]),
    ("quoted unknown table", LAST, end('["mod el"]\nx = 1')),
    ("table inside a feature", LAST, end("[features.load.more]\nx = 1")),
    # Keys
    ("misspelt key", 11, swap("holdout_days", "holdout_day")),
    ("misspelt required key", 10, swap("target =", "targett =")),
    ("unknown key", 2, under("model", "colour = 1")),
    ("misspelt retrain key", 38, under("retrain", "max_age_day = 3")),
    ("misspelt parity key", LAST + 1, end(PARITY + "tolerence = 1e-5")),
    ("dotted unknown key", LAST + 1, end(GATE + "slice.margin = 2")),
    ("misspelt feature key", 16, swap("minimum = -50", "minumum = -50")),
    ("misspelt key in a quoted feature", LAST + 1, end('[features."my col"]\ntyp = "number"')),
    ("name inside a feature", 15, under("features.load", 'name = "other"')),
    ("inner table in a feature", 15, under("features.load", "limits = {low = 1}")),
    (
        "unknown key after a text of several lines",
        5,
        under("model", 'owner = """\n[data]\n"""\nabot = 1'),
    ),
    ("key far too deep", LAST, end("x" + ".x" * 3000 + " = 1")),
    ("target missing", 6, swap('target = "left"\n', "")),
    ("start missing", 6, swap("start = 2024-01-01\n", "")),
    ("id missing", 6, swap('id = "customer"\n', "")),
    ("task missing", 1, swap('task = "binary"\n', "")),
    ("type missing", 14, swap('type = "number"\nminimum', "minimum")),
    # Types
    ("flag in quotes", 21, swap("nullable = true", 'nullable = "yes"')),
    ("flag as a number", 21, swap("nullable = true", "nullable = 1")),
    ("number in quotes", 11, swap("holdout_days = 14", 'holdout_days = "14"')),
    ("number as a flag", 11, swap("holdout_days = 14", "holdout_days = true")),
    ("whole number as a fraction", 11, swap("holdout_days = 14", "holdout_days = 1.5")),
    ("whole number with a point", 11, swap("holdout_days = 14", "holdout_days = 14.0")),
    ("number as a list", 11, swap("holdout_days = 14", "holdout_days = [14]")),
    ("date in quotes", 7, swap("2024-01-01", '"2024-01-01"')),
    ("date as a word", 7, swap("2024-01-01", '"soon"')),
    ("date with a time", 7, swap("2024-01-01", "2024-01-01T05:00:00Z")),
    ("date as a number", 7, swap("2024-01-01", "20240101")),
    ("time of day as a date", 7, swap("2024-01-01", "05:00:00")),
    ("list as text", 12, swap('["refund"]', '"refund"')),
    ("list of numbers", 12, swap('["refund"]', "[3]")),
    ("column as a number", 9, swap('"asked"', "3")),
    (
        "feature as text",
        15,
        swap(
            '[features.load]\ntype = "number"\nminimum = -50\nmaximum = 50',
            '[features]\nload = "number"',
        ),
    ),
    ("bound as a word", 16, swap("-50", '"low"')),
    ("values as text", 25, swap('["basic", "plus", "pro"]', '"basic"')),
    ("values as numbers", 25, swap('["basic", "plus", "pro"]', "[1, 2]")),
    ("seed as a fraction", 2, under("model", "seed = 0.5")),
    ("path as a number", 28, under("monitor", "log = 3")),
    ("tolerance in quotes", LAST + 1, end(PARITY + 'tolerance = "1e-5"')),
    ("slices as text", LAST + 1, end(GATE + 'slices = "plan"')),
    ("secondary as text", LAST + 1, end(GATE + 'secondary = "brier"')),
    ("watched metrics as text", 32, under("health", 'metrics = "roc_auc"')),
    ("about as a list", 4, swap('"Whether a customer leaves"', '["a"]')),
    # Values
    ("misspelt task", 3, swap("binary", "binray")),
    ("misspelt type", 15, swap('type = "number"', 'type = "numbr"')),
    ("unknown choice", LAST + 1, end(GATE + 'on_inconclusive = "shrug"')),
    ("name with capitals", 2, swap('"churn"', '"Churn"')),
    ("name with a blank", 2, swap('"churn"', '"my model"')),
    ("name with an accent", 2, swap('"churn"', '"chürn"')),
    ("name with a line break", 2, swap('"churn"', '"churn\\n"')),
    ("name with two hyphens", 2, swap('"churn"', '"a--b"')),
    ("empty name", 2, swap('"churn"', '""')),
    ("endless name", 2, swap('"churn"', f'"{"a" * 500}"')),
    ("column of blanks", 8, swap('"customer"', '" "')),
    ("empty column", 10, swap('"left"', '""')),
    ("column with a tab", 9, swap('"asked"', '"as\\tked"')),
    ("feature without a name", LAST, end('[features.""]\ntype = "number"')),
    ("feature with a blank behind", LAST, end('[features."load "]\ntype = "number"')),
    ("no holdout", 11, swap("holdout_days = 14", "holdout_days = 0")),
    ("negative holdout", 11, swap("holdout_days = 14", "holdout_days = -1")),
    ("holdout of ages", 11, swap("holdout_days = 14", "holdout_days = 999999999999")),
    (
        "holdout beyond any number",
        11,
        swap("holdout_days = 14", "holdout_days = 99999999999999999999"),
    ),
    ("window of no day", 28, swap("window_days = 7", "window_days = 0")),
    ("window of ages", 28, swap("window_days = 7", "window_days = 100000")),
    ("negative delay", 29, swap("label_delay_days = 0", "label_delay_days = -1")),
    ("negative seed", 2, under("model", "seed = -1")),
    ("seed too large", 2, under("model", "seed = 4294967296")),
    ("bound that is no number", 16, swap("-50", "nan")),
    ("bound without end", 16, swap("-50", "-inf")),
    ("bound that overflows", 17, swap("maximum = 50", "maximum = 1e999")),
    ("more days than are held out", 11, swap("holdout_days = 14", "holdout_days = 4")),
    ("more days than are seen", 41, under("rollback", "minimum_days = 22")),
    ("minimum above maximum", 16, swap("-50", "51")),
    (
        "half a unit of an integer",
        16,
        swap('type = "number"\nminimum = -50', 'type = "integer"\nminimum = -50.5'),
    ),
    ("minimum of a string", 24, under("features.plan", "minimum = 1")),
    ("values of a number", 15, under("features.load", 'values = ["a"]')),
    ("no values", 25, swap('["basic", "plus", "pro"]', "[]")),
    ("values twice", 25, swap('["basic", "plus", "pro"]', '["a", "a"]')),
    ("nullable integer", 21, swap('type = "number"\nnullable', 'type = "integer"\nnullable')),
    ("nullable boolean", 21, swap('type = "number"\nnullable', 'type = "boolean"\nnullable')),
    ("no margin", LAST + 1, end(GATE + "margin = 0")),
    ("margin of everything", LAST + 1, end(GATE + "margin = 1.0")),
    ("margin that is no number", LAST + 1, end(GATE + "margin = nan")),
    ("unknown metric", LAST + 1, end(GATE + 'metric = "auc"')),
    ("unknown watched metric", 32, under("health", 'metrics = ["auc"]')),
    ("negative tolerance", LAST + 1, end(PARITY + "tolerance = -1")),
    ("no environment", LAST + 1, end(DELIVERY + "environments = []")),
    ("odd environment", LAST + 1, end(DELIVERY + 'environments = ["Prod", "production"]')),
    ("environment twice", LAST + 1, end(DELIVERY + 'environments = ["production", "production"]')),
    ("no discovery rate", 35, under("drift", "q = 0")),
    ("discovery rate above one", 35, under("drift", "q = 2")),
    ("tiny row cap", 35, under("drift", "row_cap = 10")),
    ("coverage in percent", 32, under("health", "minimum_coverage = 80")),
    ("no alarm", 38, under("retrain", "alarms = 0")),
    ("negative standard errors", 41, under("rollback", "z = -1")),
    ("empty log path", 28, under("monitor", 'log = ""')),
    # Paths and references
    ("pipeline without a function", 2, under("model", 'pipeline = "model/pipeline.py"')),
    ("pipeline that is no Python", 2, under("model", 'pipeline = "model/pipeline.txt:f"')),
    ("pipeline outside", 2, under("model", 'pipeline = "../x.py:f"')),
    ("pipeline from the root", 2, under("model", 'pipeline = "/etc/x.py:f"')),
    ("pipeline with backslashes", 2, under("model", "pipeline = 'model\\x.py:f'")),
    ("parameters outside", 2, under("model", 'params = "../p.toml"')),
    ("parameters without a name", 2, under("model", 'params = ""')),
    ("parameters with a null byte", 2, under("model", 'params = "a\\u0000b"')),
    ("source outside", 7, under("data", 'source = "a/../../x.py:f"')),
    # Contradictions
    ("forbidden feature", 14, swap('["refund"]', '["load"]')),
    ("forbidden target", 12, swap('["refund"]', '["left"]')),
    ("forbidden id", 12, swap('["refund"]', '["customer"]')),
    ("target as a feature", 14, swap('"left"', '"load"')),
    ("id as a feature", LAST, end('[features.customer]\ntype = "string"')),
    ("target that is the id", 6, swap('"left"', '"customer"')),
    ("features that differ in capitals", 14, end('[features.Load]\ntype = "number"')),
    ("slice that is no feature", LAST + 1, end(GATE + 'slices = ["planet"]')),
    ("metric of another task", LAST + 1, end(GATE + 'metric = "rmse"')),
    ("secondary of another task", LAST + 1, end(GATE + 'secondary = ["rmse"]')),
    ("watched metric of another task", 32, under("health", 'metrics = ["rmse"]')),
    ("champion of no environment", LAST + 1, end(GATE + 'champion = "prod"')),
    ("environments without the champion's", LAST, end(DELIVERY + 'environments = ["a", "b"]')),
    ("more bad windows than there are", 32, under("health", "bad = 4")),
    ("more alarms than windows", 38, under("retrain", "alarms = 9")),
    ("warning above alarm", 35, under("drift", "warn_weight = 0.9")),
    ("windows of many years", 32, under("health", "of = 1000")),
    # TOML itself
    ("open text", 2, swap('"churn"', '"churn')),
    ("no value", 2, swap('name = "churn"', "name =")),
    ("no equals sign", 2, swap('name = "churn"', 'name "churn"')),
    ("key twice", 4, swap('task = "binary"', 'task = "binary"\ntask = "binary"')),
    ("table twice", LAST, end("[model]")),
    ("open header", 6, swap("[data]", "[data")),
    ("open list", 12, swap('["refund"]', '["refund"')),
    ("open text of several lines, told where it begins", LAST, end('x = """a')),
    ("open inner table", LAST, end("gate = {margin = 0.1")),
    ("list that is open behind a table", 12, swap('["refund"]', '["refund", "wear"')),
    ("typographic quotes", 2, swap('"churn"', "\u201cchurn\u201d")),
    ("text without quotes", 2, swap('"churn"', "churn")),
    ("number with a comma", 11, swap("holdout_days = 14", "holdout_days = 1,4")),
    ("colon instead of =", 2, swap("name =", "name:")),
    ("key with a blank", LAST, end("max age = 3")),
    ("lone carriage return", 2, swap('name = "churn"\n', 'name = "churn"\r')),
    ("null byte", 2, swap("churn", "ch\0urn")),
    ("null", 21, swap("true", "null")),
    ("Python's True", 21, swap("true", "True")),
    ("merge conflict", 6, swap("[data]", "<<<<<<< HEAD\n[data]")),
    ("unknown escape", 2, swap("churn", "ch\\qurn")),
    ("half a surrogate", 2, swap("churn", "\\ud800")),
    ("impossible date", 7, swap("2024-01-01", "2024-02-31")),
    ("date with short numbers", 7, swap("2024-01-01", "2024-1-1")),
    ("number of five thousand digits", 11, swap("14", "9" * 5000)),
    ("lists in lists without end", LAST, end("x = " + "[" * 3000 + "]" * 3000)),
    ("a reviewer with a space", LAST + 1, end("[bot]\nreviewers = ['a b']")),
    ("a reviewer with an @", LAST + 1, end("[bot]\nreviewers = ['@ada']")),
    ("a team without a name", LAST + 1, end("[bot]\nreviewers = ['acme/']")),
    ("one reviewer as text", LAST + 1, end("[bot]\nreviewers = 'ada'")),
    ("a dashboard of text", LAST + 1, end("[bot]\ndashboard = 'yes'")),
    ("an unknown key of the bot", LAST + 1, end("[bot]\nreviewer = ['ada']")),
]
