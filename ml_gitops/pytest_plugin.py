"""Fixtures for the checks of a model repository, and the record of what they found.

Elsewhere this plugin adds nothing: no fixture, no option, no import. In a model repository
`ml-gitops train` runs the checks and names the run to judge in `ML_GITOPS_RUN`.
"""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ml_gitops.names import (
    CHAMPION_FILE,
    CHAMPION_MISSING_FILE,
    CHAMPION_SIGNATURE_FILE,
    CONFIG_FILE,
    HOLDOUT_FILE,
    MODEL_FILE,
    PATH_VARIABLE,
    RECORD_VARIABLE,
    RUN_VARIABLE,
    SIGNATURE_FILE,
    TRAIN_FILE,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from ml_gitops.checks import CheckOutcome
    from ml_gitops.model.verdict import Verdict
    from ml_gitops.serving.onnx_model import OnnxModel

ABOUT = "ml_gitops_about"
HIDDEN = "somewhere"
"""What the checks find in place of the path of their record."""
FIXTURES = ("candidate", "champion", "compare", "holdout", "target", "train")
"""What a check may ask for, beside what pytest gives."""
_RECORD = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Take note of where the record goes before any code of the checks runs, and hide it."""
    if os.environ.get(RECORD_VARIABLE) not in (None, "", HIDDEN):
        record = early_config.stash[_RECORD] = os.environ[RECORD_VARIABLE]
        os.environ[RECORD_VARIABLE] = HIDDEN
        # The model's own code can be imported, once what keeps the record is the real one.
        import ml_gitops.adapters.frames
        import ml_gitops.checks
        import ml_gitops.serving.onnx_model  # noqa: F401

        # Bytecode that came with a commit is not the source that was reviewed. What the fixtures
        # need is imported by now: compiling pandas takes longer than most checks.
        sys.pycache_prefix = str(Path(record).with_name("bytecode"))
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
        theirs = os.environ.get(PATH_VARIABLE, "").split(os.pathsep)
        sys.path[:0] = [str(early_config.rootpath), *filter(None, theirs)]


# A person reads why a check failed: numbers without their types, and no digit that says nothing.
_NUMPY = re.compile(r"\bnp\.(?:float|int|bool)\w*\(([^()]*)\)")
_LONG = re.compile(r"\d+\.\d{7,}\b(?!e)")
# The record is read elsewhere: where a file lies on this machine is nobody's business there.
_ABSOLUTE = re.compile(r"(?<![\w.:/~-])/(?:[^\s/'\":]+/)+(?=[^\s/'\":])")


def pytest_configure(config: pytest.Config) -> None:
    """Add the fixtures in a model repository, and the recorder where someone asked for it."""
    if os.environ.get(RUN_VARIABLE) or (config.rootpath / CONFIG_FILE).is_file():
        config.pluginmanager.register(RunFixtures(os.environ.get(RUN_VARIABLE)), "ml-gitops-run")
    # A worker of pytest-xdist reports to its controller, which writes the one record.
    if _RECORD in config.stash and not hasattr(config, "workerinput"):
        path = Path(config.stash[_RECORD])
        config.pluginmanager.register(Recorder(path), "ml-gitops-recorder")


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep the first line of a check's docstring: it is the sentence people read."""
    if os.environ.get(RECORD_VARIABLE):
        text = (getattr(getattr(item, "obj", None), "__doc__", None) or "").strip()
        item.user_properties.append((ABOUT, text.partition("\n")[0].strip()))


class RunFixtures:
    """What a check may ask for by name; each is read once, when the first check asks.

    Args:
        folder: the run's folder; None where nobody trained.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = Path(folder) if folder else None

    @pytest.fixture(scope="session")
    def candidate(self) -> "OnnxModel":
        """The model of this run, as it would be served: `candidate.predict(frame)`."""
        return _model(self._path(MODEL_FILE), self._path(SIGNATURE_FILE))

    @pytest.fixture(scope="session")
    def champion(self) -> "OnnxModel":
        """The model in production; checks that ask for it are skipped where there is none."""
        content = self._run / CHAMPION_FILE
        if not content.exists():
            reason = self._run / CHAMPION_MISSING_FILE
            pytest.skip(reason.read_text().strip() if reason.exists() else "there is no champion")
        return _model(content, self._path(CHAMPION_SIGNATURE_FILE))

    @pytest.fixture(scope="session")
    def holdout(self) -> "pd.DataFrame":
        """The rows that no model learned from: features, target, id and time."""
        return self._frame(HOLDOUT_FILE)

    @pytest.fixture(scope="session")
    def train(self) -> "pd.DataFrame":
        """The rows that the candidate learned from."""
        if not (self._run / TRAIN_FILE).exists():
            pytest.skip("this run did not keep the rows it learned from")
        return self._frame(TRAIN_FILE)

    @pytest.fixture(scope="session")
    def target(self, candidate: "OnnxModel", holdout: "pd.DataFrame") -> "pd.Series[Any]":
        """The true answers of the holdout, row by row."""
        return holdout[candidate.signature.target]

    @pytest.fixture(scope="session")
    def compare(
        self,
        candidate: "OnnxModel",
        champion: "OnnxModel",
        holdout: "pd.DataFrame",
    ) -> "Callable[..., Verdict]":
        """Judge the candidate against the champion: `compare("recall", margin=.02, rows=mask)`."""
        from ml_gitops.checks import no_worse

        target = candidate.signature.target

        def compare(metric: str, *, margin: float | None = None, rows: Any = None) -> "Verdict":
            chosen = holdout if rows is None else holdout[rows]
            return no_worse(candidate, champion, chosen, target, metric, margin=margin)

        return compare

    @property
    def _run(self) -> Path:
        if self._folder is None:
            pytest.fail(
                "there is no candidate yet; run `ml-gitops train`, which runs the checks",
                pytrace=False,
            )
        return self._folder

    def _frame(self, name: str) -> "pd.DataFrame":
        """Read rows, and leave on them what the gate takes as independent and as allowed."""
        from ml_gitops.adapters.frames import read_frame
        from ml_gitops.model.policy import CheckPolicy

        path = self._path(CheckPolicy.file_name)
        return CheckPolicy.from_json(path.read_bytes(), where=str(path)).attach(
            read_frame(self._path(name))
        )

    def _path(self, name: str) -> Path:
        path = self._run / name
        if not path.is_file():
            pytest.fail(f"{path} is missing; run `ml-gitops train` again", pytrace=False)
        return path


class Recorder:
    """Writes one outcome per check when the session ends.

    Args:
        path: the file to write, whole or not at all.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._outcomes: dict[str, CheckOutcome] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that cannot be imported as a check that failed."""
        if report.failed:
            self._keep(report, "failed", _reason(report))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome of a check; its set-up and tear-down can fail it, too."""
        if report.failed:
            self._keep(report, "failed", _reason(report))
        elif report.skipped:
            self._keep(report, "skipped", _reason(report))
        elif report.when == "call":
            self._keep(report, "passed", "")

    def pytest_sessionfinish(self) -> None:
        """Write the record."""
        from ml_gitops.checks import CheckOutcomes

        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        outcomes = tuple(self._outcomes.values())
        draft.write_text(CheckOutcomes(outcomes=outcomes).to_json(), encoding="utf-8")
        draft.replace(self._path)

    def _keep(self, report: Any, outcome: Any, message: str) -> None:
        from ml_gitops.checks import CheckOutcome

        known = self._outcomes.get(report.nodeid)
        if known is not None and known.outcome == "failed":
            return
        properties = dict(getattr(report, "user_properties", ()))
        self._outcomes[report.nodeid] = CheckOutcome(
            nodeid=report.nodeid,
            about=str(properties.get(ABOUT, "")),
            outcome=outcome,
            message=message,
            seconds=float(getattr(report, "duration", 0.0)),
        )


def _reason(report: Any) -> str:
    """Return why a check did not pass, as one line without pytest's own words."""
    longrepr = report.longrepr
    unknown = re.match(r"fixture '.*' not found", getattr(longrepr, "errorstring", ""))
    if unknown:
        text = f"{unknown.group()}; there are {', '.join(FIXTURES)}, and pytest's own"
    elif isinstance(longrepr, tuple):
        text = str(longrepr[2]).removeprefix("Skipped: ")
    else:
        crash = getattr(longrepr, "reprcrash", None)
        text = crash.message if crash is not None else str(longrepr).strip()
        text = text.partition("\n")[0] if crash is not None else text.splitlines()[-1]
    for word in ("AssertionError: ", "Failed: ", "assert "):
        text = text.removeprefix(word)
    text = _ABSOLUTE.sub("", text)
    text = _NUMPY.sub(r"\1", text)
    text = _LONG.sub(lambda number: f"{float(number.group()):.6g}", text)
    return " ".join(text.split())[:500]


def _model(content: Path, signature: Path) -> "OnnxModel":
    from ml_gitops.serving.onnx_model import OnnxModel
    from ml_gitops.serving.signature import Signature

    read = Signature.from_json(signature.read_bytes(), where=str(signature))
    return OnnxModel(content.read_bytes(), read)
