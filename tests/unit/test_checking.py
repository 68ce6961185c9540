"""The author's checks judge a copy: they write neither the evidence nor their own outcomes."""

import importlib.util
import marshal
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ml_gitops.adapters.checking import run_checks
from ml_gitops.errors import TrainingError

FILES = {"model.onnx": b"onnx", "evaluation.json": b"{}", "holdout.parquet": b"rows"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that is kept in the cache of a work tree."""
    folder = tmp_path / "tree" / ".ml-gitops" / "runs" / "churn-1"
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return folder


def check(run: Path, code: str, **more: str) -> bytes:
    """Run checks on a run.

    Args:
        code: of the checks.
        more: name to content of more files beside them.
    """
    checks = run.parents[2] / "checks"
    checks.mkdir(exist_ok=True)
    for name, text in {"test_it": code, **more}.items():
        (checks / f"{name}.py").write_text(text)
    return run_checks(run.parents[2], checks, run, {"champion.onnx": b"champion"})


def test_how_far_the_checks_are_is_told(run: Path) -> None:
    """While they run, the share of the checks that ended grows from nothing to all."""
    checks = run.parents[2] / "checks"
    checks.mkdir(exist_ok=True)
    (checks / "test_it.py").write_text(
        "import time, pytest\n"
        "@pytest.mark.parametrize('n', range(4))\n"
        "def test_it(n):\n"
        "    time.sleep(0.3)\n"
    )
    shares: list[float] = []

    run_checks(run.parents[2], checks, run, {}, shares.append)

    assert shares == sorted(shares)
    assert shares[0] == 0
    assert {0.25, 0.5, 0.75} <= set(shares)


def kept(run: Path) -> dict[str, bytes]:
    """Return the files of a run."""
    return {file.name: file.read_bytes() for file in run.iterdir()}


@pytest.mark.parametrize("module", ["said", "test_it"])
def test_bytecode_of_a_commit_is_not_believed(run: Path, module: str) -> None:
    """Neither of modules nor of checks, which pytest caches under a name of its own."""
    checks = run.parents[2] / "checks"
    texts = {"said": "WORD = 'a'\n", "test_it": "def test_it():\n    assert 1 == 0\n"}
    forged = {"said": "WORD = 'b'\n", "test_it": "def test_it():\n    assert 1 == 1\n"}
    texts["test_other"] = "from checks.said import WORD\n\ndef test_it():\n    assert WORD == 'b'\n"
    check(run, texts["test_it"], **{name: texts[name] for name in ("said", "test_other")})
    source = checks / f"{module}.py"
    code = marshal.dumps(compile(forged[module], str(source), "exec"))
    source.write_text(texts[module])
    hashed = importlib.util.source_hash(source.read_bytes())
    for tag in ("", f"-pytest-{pytest.__version__}"):
        planted = checks / "__pycache__" / f"{module}.{sys.implementation.cache_tag}{tag}.pyc"
        planted.parent.mkdir(exist_ok=True)
        planted.write_bytes(importlib.util.MAGIC_NUMBER + b"\3\0\0\0" + hashed + code)

    outcome = run_checks(run.parents[2], checks, run, {})

    assert outcome.count(b'"failed"') == 2


def test_settings_of_a_commit_load_no_plugin_early(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the work tree that pytest is told to load does not come before our own plugin."""
    root = run.parents[2]
    (root / "early.py").write_text(
        "import os, pathlib\n"
        "pathlib.Path('seen').write_text(os.environ.get('ML_GITOPS_CHECKS_OUT', ''))\n"
    )
    (root / "pytest.ini").write_text("[pytest]\naddopts = -p early\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root), *sys.path]))

    with pytest.raises(TrainingError, match="early"):
        check(run, "def test_it():\n    pass\n")

    assert not (root / "seen").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\npython_functions = none_*\n"),
        ("tox.ini", "[pytest]\npython_functions = none_*\n"),
        ("pyproject.toml", "[project]\nname = 'shop'\n"),
    ],
)
def test_what_lies_above_a_model_does_not_judge_it(run: Path, name: str, text: str) -> None:
    """Settings and hooks at the top of a repository are not those of the model in a folder."""
    root = run.parents[2]
    (root.parent / name).write_text(text)
    (root.parent / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n    items[:] = items[:1]\n"
    )

    outcome = check(run, "def test_a():\n    pass\n\ndef test_b():\n    assert 0\n")

    assert b'"failed"' in outcome


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.toml", "[pytest]\npython_functions = ['held_*']\n"),
        ("pytest.ini", "[pytest]\npython_functions = held_*\n"),
        ("checks/pytest.ini", "[pytest]\npython_functions = held_*\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\npython_functions = ['held_*']\n"),
        ("pyproject.toml", "[tool.pytest]\npython_functions = ['held_*']\n"),
        ("tox.ini", "[pytest]\npython_functions = held_*\n"),
        ("setup.cfg", "[tool:pytest]\npython_functions = held_*\n"),
    ],
)
def test_settings_of_the_model_itself_are_obeyed(run: Path, name: str, text: str) -> None:
    """Wherever pytest takes settings from, in the folder of the model or of its checks."""
    root = run.parents[2]
    (root / "checks").mkdir()
    (root / name).write_text(text)

    outcome = check(run, "def held_a():\n    assert 0\n\ndef test_b():\n    pass\n")

    assert b'"failed"' in outcome
    assert b"test_b" not in outcome


def test_checks_import_from_the_path(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the work tree that Python is told to look in is looked in by the checks."""
    (run.parents[2] / "src").mkdir()
    (run.parents[2] / "src" / "told.py").write_text("WORD = 1\n")
    monkeypatch.setenv("PYTHONPATH", "src", prepend=os.pathsep)

    outcome = check(run, "from told import WORD\n\ndef test_it():\n    assert WORD\n")

    assert b'"passed"' in outcome


def test_checks_see_a_copy(run: Path) -> None:
    """What the checks do to the files they are given reaches neither the run nor what is beside."""
    outcome = check(
        run,
        "import os, pathlib, shutil\n"
        "RUN = pathlib.Path(os.environ['ML_GITOPS_RUN'])\n"
        "def test_it():\n"
        "    assert (RUN / 'champion.onnx').read_bytes() == b'champion'\n"
        "    RUN.chmod(0o700)\n"
        "    for file in RUN.iterdir():\n"
        "        file.chmod(0o600)\n"
        "        file.write_bytes(b'better')\n"
        "    shutil.rmtree(RUN)\n",
    )

    assert b'"passed"' in outcome
    assert kept(run) == FILES


@pytest.mark.parametrize(
    "attack",
    [
        "(run / 'evaluation.json').write_text('{}'); (run / 'holdout.parquet').unlink()",
        "(run / 'model.onnx').unlink(); (run / 'model.onnx').symlink_to('/dev/zero')",
        "(run / 'model.onnx').unlink(); os.mkfifo(run / 'model.onnx')",
        "run.rename(run.parent / 'moved'); run.symlink_to(run.parent / 'moved')",
    ],
)
def test_a_run_that_its_checks_change_is_gone(run: Path, attack: str) -> None:
    """Who writes to the run in the cache is named, and no later command believes that run."""
    code = (
        "import os, pathlib, shutil\n"
        f"run = pathlib.Path({str(run)!r})\n"
        f"def test_it():\n    {attack}\n"
    )

    with pytest.raises(TrainingError, match=r"the checks changed .* of the run that they judge"):
        check(run, code)

    assert not run.is_dir() or run.is_symlink()


def test_nobody_writes_after_the_verdict(run: Path) -> None:
    """A process that the checks leave behind is ended with them."""
    late = run.parents[2] / "late"
    code = (
        "import os, subprocess\n"
        "def test_it():\n"
        "    wait = f'while kill -0 {os.getpid()}; do sleep 0.05; done'\n"
        f"    subprocess.Popen(['sh', '-c', f'{{wait}}; touch {late}'])\n"
    )

    check(run, code)

    until = time.monotonic() + 1
    while time.monotonic() < until and not late.exists():
        time.sleep(0.1)
    assert not late.exists()


def test_checks_run_where_the_system_has_less(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mac has no `os.waitid` before Python 3.13: checks run, and their group ends with them."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr(os, "waitid", raising=False)
    late = run.parents[2] / "late"
    code = (
        "import os, subprocess\n"
        "def test_it():\n"
        "    wait = f'while kill -0 {os.getpid()}; do sleep 0.05; done; sleep 1'\n"
        f"    subprocess.Popen(['sh', '-c', f'{{wait}}; touch {late}'])\n"
    )

    assert b'"passed"' in check(run, code)

    time.sleep(2)
    assert not late.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to us")
@pytest.mark.parametrize("others", [0, 1])
def test_who_leaves_the_session_is_ended_too(run: Path, others: int) -> None:
    """A daemon and its child end with the checks; what we had started ourselves does not."""
    pids = run.parents[2] / "pids"
    daemon = f"sleep 60 & echo $! > {pids}.new; echo $$ >> {pids}.new; mv {pids}.new {pids}; wait"
    code = (
        "import pathlib, subprocess, time\n"
        "def test_it():\n"
        f"    subprocess.run(['setsid', '--fork', 'sh', '-c', {daemon!r}])\n"
        f"    while not pathlib.Path({str(pids)!r}).exists():\n"
        "        time.sleep(0.01)\n"
    )
    ours = [subprocess.Popen(["sleep", "60"]) for _ in range(others)]

    assert b'"passed"' in check(run, code)

    for pid in map(int, pids.read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    for one in ours:
        assert one.poll() is None
        one.kill()
        one.wait()


@pytest.mark.parametrize("name", ["br[1]", "a::b", "-k none"])
def test_a_repository_may_lie_in_any_folder(run: Path, name: str) -> None:
    """What pytest takes for the name of a test, or for an option, is a folder above."""
    tree = run.parents[2].rename(run.parents[3] / name)

    assert b'"passed"' in check(tree / ".ml-gitops" / "runs" / run.name, "def test_it(): pass\n")


def test_checks_are_not_told_where_their_record_is(run: Path) -> None:
    """Neither a check nor a conftest finds the path that its outcome is written to."""
    told = "import os\nTOLD = os.environ.get('ML_GITOPS_CHECKS_OUT', '')\nassert '/' not in TOLD\n"

    outcome = check(run, f"{told}def test_it(): pass\n", conftest=told)

    assert b'"passed"' in outcome


def test_files_named_like_libraries_take_nobodys_place(run: Path) -> None:
    """The work tree can be imported, and does not bring its own pytest, plugin or library."""
    root = run.parents[2]
    (root / "ml_gitops").mkdir()
    (root / "model.py").write_text("VALUE = 1\n")
    for name in ("pytest", "json", "pydantic", "ml_gitops/__init__", "ml_gitops/checks"):
        (root / f"{name}.py").write_text("import os\nos._exit(0)\n")
    code = "import model, ml_gitops.checks\ndef test_it(): assert model.VALUE == 1\n"

    assert b'"passed"' in check(run, code)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os\ndef test_it(): os._exit(0)\n", "it ended without an outcome"),
        ("import os\ndef test_it(): os._exit(1)\n", "it ended without an outcome"),
        ("import os, signal\ndef test_it(): os.kill(os.getpid(), 9)\n", "without an outcome"),
        ("VALUE = 1\n", "without an outcome"),
    ],
)
def test_no_outcome_is_no_pass(run: Path, code: str, said: str) -> None:
    """A session that ends itself, or has no test, passed nothing."""
    with pytest.raises(TrainingError, match=said):
        check(run, code)

    assert kept(run) == FILES


def test_a_record_without_the_failure_is_refused(run: Path) -> None:
    """Pytest's own ending is held against the record: one that lost a failure is not believed."""
    forget = (
        "def pytest_runtest_logreport(report):\n"
        "    if report.failed:\n"
        "        report.outcome = 'passed'\n"
        "def pytest_collection_finish(session):\n"
        "    recorder = session.config.pluginmanager.get_plugin('ml-gitops-recorder')\n"
        "    recorder._keep = lambda *_: None\n"
    )

    with pytest.raises(TrainingError, match="pytest failed, and no check did"):
        check(run, "def test_it(): assert 0\n", conftest=forget)


def test_rows_of_a_run_are_held_without_reading_them_at_once(run: Path) -> None:
    """A run whose rows take more than memory is hashed as a stream."""
    with (run / "holdout.parquet").open("wb") as rows:
        os.truncate(rows.fileno(), 2**26)

    assert b'"passed"' in check(run, "def test_it(): pass\n")


@pytest.mark.parametrize("name", ["conftest.py", ".pytest.ini"])
def test_what_no_review_sees_is_refused(run: Path, name: str) -> None:
    """A link to code elsewhere, or settings that are hidden, would judge without being named."""
    checks = run.parents[2] / "checks"
    checks.mkdir(exist_ok=True)
    if name == "conftest.py":
        (run.parents[2] / "notes.txt").write_text("")
        (checks / name).symlink_to("../notes.txt")
    else:
        (checks / name).write_text("[pytest]\naddopts = --deselect test_a.py\n")

    with pytest.raises(TrainingError, match=f"{name} is a "):
        check(run, "def test_it(): assert False\n")
