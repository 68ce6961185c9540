"""In a model repository checks get their model and rows; elsewhere the plugin is not noticed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from ml_gitops.adapters.frames import write_frame
from ml_gitops.checks import CheckOutcome, CheckOutcomes
from ml_gitops.data.schema import DataSchema, Feature
from ml_gitops.model.candidate import build_and_fit
from ml_gitops.model.policy import CheckPolicy, GatePolicy
from ml_gitops.pytest_plugin import FIXTURES, RunFixtures
from ml_gitops.serving.conversion import convert
from ml_gitops.serving.onnx_model import class_names, conform
from ml_gitops.serving.signature import Signature

pytest_plugins = ["pytester"]

SCHEMA = DataSchema(
    task="binary",
    features=(Feature(name="rain", type="number"),),
    target="late",
    id="id",
    time="time",
)

CHECKS = '''
from ml_gitops.checks import at_least

def test_ranks(candidate, holdout, target):
    """Late flights are ranked above the others.

    More words that nobody needs in a report.
    """
    assert at_least(candidate, holdout, target, "roc_auc", 0.7)

def test_too_much(candidate, holdout):
    """Nobody is that good."""
    assert at_least(candidate, holdout, "late", "roc_auc", 0.999)

def test_against(compare, holdout):
    """The champion is not better."""
    said = compare("roc_auc")
    assert said
    assert (said.data["allowed"], said.data["days"]) == (0.3, 14)
    assert compare("log_loss", margin=0.5, rows=holdout["rain"] > 0.5).data["days"] == 14

def test_train(train):
    """Rows that were learned from."""
    assert len(train)
'''


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a model on rain, really, and leave its run as `ml-gitops train` does."""
    random = np.random.default_rng(0)
    rain = random.exponential(1, 600)
    late = random.random(600) < 1 / (1 + np.exp(2 - 2 * rain))
    frame = pd.DataFrame({"id": [f"f{index}" for index in range(600)], "rain": rain, "late": late})
    frame["asked"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(600) % 14, unit="D")
    seen = conform(frame, SCHEMA.features).assign(late=late)
    estimator = build_and_fit(lambda _: LogisticRegression(), {}, seen, SCHEMA, 0)
    signature = Signature(
        model="delay",
        task="binary",
        features=SCHEMA.features,
        target="late",
        classes=class_names(estimator),
        run_key="sha256:" + "0" * 64,
    )
    folder = tmp_path_factory.mktemp("run")
    (folder / "model.onnx").write_bytes(convert(estimator, SCHEMA.features, "binary"))
    (folder / "signature.json").write_text(signature.to_json())
    write_frame(frame, folder / "holdout.parquet")
    policy = CheckPolicy(gate=GatePolicy(margin=0.3), time="asked")
    (folder / CheckPolicy.file_name).write_text(policy.to_json())
    return folder


def check(
    pytester: pytest.Pytester,
    run: Path | None,
    monkeypatch: pytest.MonkeyPatch,
    *,
    here: bool = True,
) -> tuple[pytest.RunResult, dict[str, CheckOutcome]]:
    """Run the checks as the workflow does, and read the outcomes by the test's name.

    Checks that load a model run in a process of their own.
    """
    out = pytester.path / "out.json"
    monkeypatch.setenv("ML_GITOPS_CHECKS_OUT", str(out))
    if run is not None:
        monkeypatch.setenv("ML_GITOPS_RUN", str(run))
    run_pytest = pytester.runpytest_inprocess if here else pytester.runpytest_subprocess
    result = run_pytest("-q", "-p", "no:cacheprovider")
    outcomes = CheckOutcomes.from_json(out.read_text(), where=str(out)).outcomes
    assert not list(pytester.path.glob(".out*"))
    return result, {one.nodeid.partition("::")[2]: one for one in outcomes}


def test_checks_judge_the_model_of_the_run(
    pytester: pytest.Pytester, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passed, failed and skipped are told apart, each with its sentence and its reason."""
    (run / "champion-missing.txt").write_text("nothing serves production yet\n")
    pytester.makepyfile(test_model=CHECKS)

    result, outcomes = check(pytester, run, monkeypatch, here=False)

    result.assert_outcomes(passed=1, failed=1, skipped=2)
    assert {name: one.outcome for name, one in outcomes.items()} == {
        "test_ranks": "passed",
        "test_too_much": "failed",
        "test_against": "skipped",
        "test_train": "skipped",
    }
    assert outcomes["test_ranks"].about == "Late flights are ranked above the others."
    assert outcomes["test_too_much"].message.startswith("ROC AUC 0.")
    assert outcomes["test_too_much"].message.endswith("is not at least 0.9990")
    assert outcomes["test_against"].message == "nothing serves production yet"
    assert outcomes["test_train"].message == "this run did not keep the rows it learned from"


def test_a_champion_is_compared_on_the_same_rows(
    pytester: pytest.Pytester, run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a champion the comparison runs, also on some of the rows."""
    both = tmp_path / "run"
    both.mkdir()
    for name in ("model.onnx", "signature.json", "holdout.parquet", CheckPolicy.file_name):
        (both / name).write_bytes((run / name).read_bytes())
    (both / "champion.onnx").write_bytes((run / "model.onnx").read_bytes())
    (both / "champion-signature.json").write_bytes((run / "signature.json").read_bytes())
    pytester.makepyfile(test_model=CHECKS)

    _, outcomes = check(pytester, both, monkeypatch, here=False)

    assert (outcomes["test_against"].outcome, outcomes["test_against"].message) == ("passed", "")


def test_a_check_that_cannot_be_imported_has_failed(
    pytester: pytest.Pytester, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A syntax error in checks/ is never a green record."""
    pytester.makepyfile(test_broken="def test_x(:\n    pass\n")

    _, outcomes = check(pytester, run, monkeypatch)

    (broken,) = outcomes.values()
    assert broken.outcome == "failed"
    assert broken.nodeid == "test_broken.py"
    assert "SyntaxError" in broken.message


def test_errors_before_and_after_a_check_fail_it(
    pytester: pytest.Pytester, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fixture that breaks while it is set up or torn down counts, and so does a subtest."""
    pytester.makepyfile(
        test_model="""
        import pytest

        @pytest.fixture
        def before():
            raise ValueError("no rows")

        @pytest.fixture
        def after():
            yield
            raise ValueError("cannot close")

        def test_before(before): pass
        def test_after(after): pass
        def test_parts(subtests):
            for part in range(3):
                with subtests.test(part=part):
                    assert part != 1
        """
    )

    _, outcomes = check(pytester, run, monkeypatch)

    assert {one.outcome for one in outcomes.values()} == {"failed"}
    assert len(outcomes) == 3
    assert outcomes["test_before"].message == "ValueError: no rows"
    assert outcomes["test_after"].message == "ValueError: cannot close"


def test_an_unknown_fixture_is_told_with_those_there_are(
    pytester: pytest.Pytester, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name and the known ones, and no folder of this machine, wherever a path is told."""
    pytester.makepyfile(
        f"""
        def test_unknown(model): pass
        def test_open():
            open("{pytester.path}/gone/rows.csv")
        def test_web():
            assert False, "see https://example.org/a/b or checks/test_a.py"
        """
    )

    _, outcomes = check(pytester, run, monkeypatch)

    there = ", ".join(name for name in vars(RunFixtures) if not name.startswith("_"))
    assert sorted(there.split(", ")) == list(FIXTURES)
    said = {name: one.message for name, one in outcomes.items()}
    told = "fixture 'model' not found; there are candidate, champion, compare, holdout, target, "
    assert said["test_unknown"] == f"{told}train, and pytest's own"
    assert said["test_open"].endswith("No such file or directory: 'rows.csv'")
    assert said["test_web"].startswith("see https://example.org/a/b or checks/test_a.py")


def test_without_a_run_checks_say_how_to_get_one(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a model repository where nobody trained, a check fails with the command to run."""
    pytester.makefile(".toml", **{"ml-gitops": ""})
    pytester.makepyfile("def test_model(candidate): pass")

    _, outcomes = check(pytester, None, monkeypatch)

    (only,) = outcomes.values()
    assert only.outcome == "failed"
    assert "run `ml-gitops train`" in only.message


def test_elsewhere_the_plugin_is_not_noticed(pytester: pytest.Pytester) -> None:
    """In a project that is no model repository there is no fixture of ours, and no file."""
    pytester.makepyfile("def test_other(candidate): pass")

    result = pytester.runpytest_inprocess("-q")

    result.stdout.fnmatch_lines(["*fixture 'candidate' not found*"])
    assert not list(pytester.path.glob("*.json"))


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    """Every pytest run of every project pays for this import: no model, no data, no pydantic."""
    code = (
        "import sys, ml_gitops.pytest_plugin\n"
        "heavy = {'numpy', 'pandas', 'pydantic', 'sklearn', 'onnxruntime', 'duckdb'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
