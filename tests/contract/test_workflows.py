"""What act and linters do not hold: rights, limits, pins, and that actions say what they do."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ml_gitops.cli.job import OUTPUTS
from ml_gitops.cli.parser import make_parser
from tests.e2e.test_actions_proposing import WRITES
from tests.e2e.test_actions_publishing import READS, REPORTS

ROOT = Path(__file__).parents[2]
ACTIONS = {path.parent.name: path for path in sorted(ROOT.glob("actions/*/action.yml"))}
WORKFLOWS = {path.name: path for path in sorted(ROOT.glob(".github/workflows/*.yml"))}
CALLERS = {path.name: path for path in sorted(ROOT.glob("actions/callers/*.yml"))}
SHIPPED = {name: path for name, path in WORKFLOWS.items() if name.startswith("model-")}
EVERYTHING = [*ACTIONS.values(), *WORKFLOWS.values()]
PINNED = re.compile(r"uses: ([\w.-]+/[\w./-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+")
OWN = re.compile(r"uses: \$/actions/([\w-]+)")
TRUSTED_ELSEWHERE = {
    "actions/cache": {"key", "path", "restore-keys"},
    "actions/checkout": {"fetch-depth", "persist-credentials", "ref"},
    "actions/upload-artifact": {
        "if-no-files-found",
        "name",
        "overwrite",
        "path",
        "retention-days",
    },
}
"""Actions of others, with those of their inputs that were read at the commits we name."""
CREDENTIALS = {
    "model-ci.yml": "${{ env.STRANGER == 'false' && secrets.data || '' }}",
    "model-cm.yml": "${{ secrets.data }}",
}
"""The one secret that is ever named, and never where a stranger's code runs."""
SENTENCE = re.compile(r"[A-Z][^\n]*[^.\n]\.")

RIGHTS = {
    "ci.yml": {"test": {"contents: read"}, "python": {"contents: read"}},
    "model-ci.yml": {
        "models": {"contents: read"},
        "train": {"contents: read"},
        "report": {"actions: read", "checks: write", "contents: read", "pull-requests: write"},
    },
    "model-report.yml": {
        "report": {"actions: read", "checks: write", "contents: read", "pull-requests: write"}
    },
    "model-cd.yml": {
        "models": {"contents: read"},
        "release": {"actions: read", "contents: write", "issues: write", "pull-requests: write"},
    },
    "model-cm.yml": {
        "look": {"actions: read", "contents: write", "issues: write", "pull-requests: write"},
        "train": {"contents: read"},
        "propose": {"actions: read", "contents: write", "issues: write", "pull-requests: write"},
    },
}
"""What each job may; one more is a change of this table, which a reviewer sees."""


def named(path: Path) -> str:
    """Return a path as tests are named."""
    return str(path.relative_to(ROOT))


def document(path: Path) -> dict[str, Any]:
    """Return a file as GitHub reads it: `on` is a word, not a truth."""
    return dict(yaml.load(path.read_text(), Loader=Words))  # noqa: S506 (it is a safe one)


class Words(yaml.SafeLoader):
    """A loader for which nothing but true and false is a truth."""


Words.yaml_implicit_resolvers = {
    first: [it for it in known if it[0] != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def steps(path: Path) -> list[dict[str, Any]]:
    """Return every step of an action or a workflow."""
    found = document(path)
    if "runs" in found:
        return list(found["runs"]["steps"])
    return [step for job in found["jobs"].values() for step in job["steps"]]


# Every file


@pytest.mark.parametrize("path", EVERYTHING, ids=named)
def test_no_expression_is_code(path: Path) -> None:
    """Nothing that somebody else named is pasted into a script; it comes by `env`."""
    scripts = [step["run"] for step in steps(path) if "run" in step]

    assert not [script for script in scripts if "${{" in script]


@pytest.mark.parametrize("path", EVERYTHING, ids=named)
def test_what_others_wrote_is_pinned(path: Path) -> None:
    """An action of others is one of three, at a commit, with its version beside it."""
    used = [line.strip().removeprefix("- ") for line in path.read_text().splitlines()]
    used = [line for line in used if line.startswith("uses:")]

    for line in used:
        found = PINNED.fullmatch(line)
        own = OWN.fullmatch(line)
        assert (own and own[1] in ACTIONS) or (found and found[1] in TRUSTED_ELSEWHERE), line


@pytest.mark.parametrize("path", EVERYTHING, ids=named)
def test_one_commit_for_each_action_of_others(path: Path) -> None:
    """The same action is at the same commit everywhere."""
    found: dict[str, set[str]] = {}
    for other in EVERYTHING:
        for name, pin in re.findall(r"uses: ([\w.-]+/[\w./-]+)@(\S+)", other.read_text()):
            found.setdefault(name, set()).add(pin)

    assert all(len(pins) == 1 for pins in found.values()), found


@pytest.mark.parametrize("path", EVERYTHING, ids=named)
def test_nothing_dangerous_is_said(path: Path) -> None:
    """No event that brings rights to strangers, no steering of later steps, no secret by name."""
    text = path.read_text()
    text = text.replace(CREDENTIALS.get(path.name, "${{}}"), "")

    for word in (
        "pull_request_target",
        "issue_comment",
        "allow-unsafe",
        "GITHUB_ENV",
        "GITHUB_PATH",
        "secrets.",
        "secrets: inherit",
        "extra-index-url",
        "curl ",
    ):
        assert word not in text, word


@pytest.mark.parametrize("path", EVERYTHING, ids=named)
def test_actions_of_others_are_given_what_they_take(path: Path) -> None:
    """An input that an action of others does not know would be dropped with a warning."""
    for step in steps(path):
        name = step.get("uses", "").partition("@")[0]
        if name in TRUSTED_ELSEWHERE:
            assert set(step.get("with", {})) <= TRUSTED_ELSEWHERE[name], step


@pytest.mark.parametrize("name", TRUSTED_ELSEWHERE)
def test_a_stand_in_takes_nothing_that_the_action_does_not(name: str) -> None:
    """What stands in for an action of others in tests knows no input more than that one."""
    stand_in = document(ROOT / "tests" / "act" / name.rpartition("/")[2] / "action.yml")

    assert set(stand_in["inputs"]) <= TRUSTED_ELSEWHERE[name]


# Actions


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_small_and_says_what_it_does(name: str) -> None:
    """Under 60 lines, and one sentence for itself, each input and each output."""
    path = ACTIONS[name]
    action = document(path)
    told = [action, *action["inputs"].values(), *action.get("outputs", {}).values()]

    assert len(path.read_text().splitlines()) < 60
    assert action["runs"]["using"] == "composite"
    for one in told:
        assert SENTENCE.fullmatch(one["description"]), one["description"]
    for step in action["runs"]["steps"]:
        assert "run" not in step or step["shell"] == "bash"


@pytest.mark.parametrize("name", ACTIONS)
def test_every_input_is_used_and_known(name: str) -> None:
    """What an action reads is what it declares."""
    action = document(ACTIONS[name])
    body = yaml.safe_dump(action["runs"])

    assert set(re.findall(r"inputs\.([\w-]+)", body)) == set(action["inputs"])


@pytest.mark.parametrize("name", [name for name in ACTIONS if name != "setup"])
@pytest.mark.parametrize("given", ["nothing", "everything"])
def test_the_command_is_one_that_there_is(name: str, given: str, tmp_path: Path) -> None:
    """The script of an action calls one command with words that the command line knows."""
    action = document(ACTIONS[name])
    step = next(it for it in action["runs"]["steps"] if it.get("id") == "run")
    home = tmp_path / "actions" / name
    home.mkdir(parents=True)
    recorder = home.parent / "ml-gitops"
    recorder.write_text('#!/bin/bash\nprintf "%s\\0" "$@" >> "$WORDS"\necho x >> "$CALLS"\n')
    recorder.chmod(0o755)
    values = {key: SAMPLES[key] if given == "everything" else it.get("default", SAMPLES[key])
              for key, it in action["inputs"].items()}  # fmt: skip
    variables = {
        key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda it: values[it[1]], value)
        if "inputs." in value else "a-folder"
        for key, value in step["env"].items()
    }  # fmt: skip
    files = {"WORDS": str(tmp_path / "words"), "CALLS": str(tmp_path / "calls")}

    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={"PATH": "/usr/bin:/bin", "GITHUB_ACTION_PATH": str(home),
             "GITHUB_EVENT_PATH": "event.json", **variables, **files},
        check=True,
    )  # fmt: skip

    extra, *words = (tmp_path / "words").read_text().split("\0")[:-1]
    assert (tmp_path / "calls").read_text() == "x\n"
    assert extra in {"base", "train", "serve", "all"}
    parsed = make_parser().parse_args(words)
    command = " ".join(it for it in (parsed.command, getattr(parsed, "step", None)) if it)
    outputs = {
        key: re.fullmatch(r"\$\{\{ steps\.([\w-]+)\.outputs\.([\w-]+) \}\}", it["value"])
        for key, it in action["outputs"].items()
    }
    assert all(found and found[2] == key for key, found in outputs.items())
    left = {key for key, found in outputs.items() if found and found[1] == "run"}
    assert left <= set(OUTPUTS[command])
    for key, found in outputs.items():
        if found and found[1] != "run":
            places = [it for it in action["runs"]["steps"] if it.get("id") == found[1]]
            assert f"{key}=" in places[0]["run"]


SAMPLES = {
    "until": "2024-01-31",
    "as-of": "2024-01-31",
    "since": "--odd; branch",
    "directory": "-odd; folder",
    "requirements": "needs; more.txt",
    "token": "x",
    "workflow": ".github/workflows/ci.yml",
    "train": "true",
    "sample": "true",
    "locked": "true",
    "credentials": "WAREHOUSE=x y",
    "dry-run": "true",
    "record": "--odd; record",
    "commit": "--odd",
    "to": "--production",
}


def test_a_token_is_never_a_word(tmp_path: Path) -> None:
    """Tokens reach commands by the environment alone, where no list of processes shows them."""
    for path in ACTIONS.values():
        for step in steps(path):
            assert "TOKEN" not in step.get("run", ""), path


# Workflows


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_gives_no_right_that_it_does_not_explain(name: str) -> None:
    """Nothing at the top; each job what the table says, every right with its reason beside it."""
    path = WORKFLOWS[name]
    workflow = document(path)
    lines = path.read_text().splitlines()
    rights = [line.strip() for line in lines if re.match(r"^      [a-z-]+: (read|write)\b", line)]

    assert workflow["permissions"] == {}
    given = {
        job: {f"{key}: {value}" for key, value in it["permissions"].items()}
        for job, it in workflow["jobs"].items()
    }
    assert given == RIGHTS[name]
    assert len(rights) == sum(map(len, given.values()))
    assert all(re.search(r" # [a-z]", line) for line in rights), rights


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_ends_and_does_not_run_twice(name: str) -> None:
    """Every job has a timeout and a runner of one version, every workflow its concurrency."""
    workflow = document(WORKFLOWS[name])

    assert {"group", "cancel-in-progress"} <= workflow["concurrency"].keys()
    assert workflow["concurrency"]["cancel-in-progress"] is (name in {"ci.yml", "model-ci.yml"})
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 180
        assert job["runs-on"] == "ubuntu-24.04"
        assert job["name"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_workflow_is_called_and_never_starts_itself(name: str) -> None:
    """Whoever calls it decides when; what it is given has one sentence and a type."""
    workflow = document(SHIPPED[name])
    called = workflow["on"]["workflow_call"] or {}

    assert set(workflow["on"]) == {"workflow_call"}
    for one in called.get("inputs", {}).values():
        assert SENTENCE.fullmatch(one["description"])
        assert one["type"] in {"string", "boolean"}
    for one in called.get("secrets", {}).values():
        assert SENTENCE.fullmatch(one["description"])
        assert one["required"] is False


@pytest.mark.parametrize("name", SHIPPED)
def test_actions_are_given_what_they_take(name: str) -> None:
    """Each step names inputs that its action has, and all that it needs; outputs too."""
    text = SHIPPED[name].read_text()
    used = {}
    for step in steps(SHIPPED[name]):
        if not step.get("uses", "").startswith("$/"):
            continue
        action = document(ACTIONS[step["uses"].removeprefix("$/actions/")])
        needed = {key for key, it in action["inputs"].items() if it.get("required")}
        assert needed <= set(step.get("with", {})) <= set(action["inputs"]), step
        used[step.get("id")] = set(action.get("outputs", {}))

    for step_id, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", text):
        assert output in used[step_id], output


@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_gives_just_the_rights_that_are_used(name: str) -> None:
    """A repository's own file gives what the jobs of ours ask for, no more, each with a reason."""
    text = CALLERS[name].read_text()
    caller = document(CALLERS[name])
    (job,) = caller["jobs"].values()
    asked = {right for rights in RIGHTS[f"model-{name}"].values() for right in rights}
    asked -= {f"{it.partition(':')[0]}: read" for it in asked if it.endswith("write")}

    assert caller["permissions"] == {}
    assert {f"{key}: {value}" for key, value in job["permissions"].items()} == asked
    assert len(re.findall(r"^      [a-z-]+: (?:read|write) # [a-z]", text, re.MULTILINE)) == len(
        asked
    )
    assert job["uses"] == f"OWNER/ml-gitops/.github/workflows/model-{name}@COMMIT"
    called = document(SHIPPED[f"model-{name}"])["on"]["workflow_call"] or {}
    assert set(job.get("with", {})) <= set(called.get("inputs", {}))
    needed = {key for key, it in called.get("inputs", {}).items() if it.get("required")}
    assert needed <= set(job.get("with", {}))


def test_one_file_brings_the_first_report() -> None:
    """From nothing to a first report it takes one file of twelve lines at most, and no secret."""
    text = CALLERS["ci.yml"].read_text()

    assert len(text.splitlines()) <= 12
    assert "secret" not in text
    assert set(CALLERS) == {name.removeprefix("model-") for name in SHIPPED}


def test_the_readme_shows_the_file_that_is_tested() -> None:
    """The workflow in the README is the one that the tests run."""
    (shown,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert shown == CALLERS["ci.yml"].read_text()


def test_the_run_after_a_fork_s_follows_the_workflow_of_that_name() -> None:
    """What starts the report, by name, is the file that it believes, by path."""
    report = document(CALLERS["report.yml"])

    assert report["on"]["workflow_run"]["workflows"] == [document(CALLERS["ci.yml"])["name"]]
    assert report["on"]["workflow_run"]["types"] == ["completed"]
    assert report["jobs"]["model"]["with"]["workflow"] == ".github/workflows/ci.yml"


RUNS_CODE = {"train-candidate", "validate-data", "monitor"}
"""Actions that run the author's code; `release` does where it is told to train, and only there."""


@pytest.mark.parametrize("name", SHIPPED)
def test_who_runs_the_author_s_code_may_only_read_and_who_writes_runs_none(name: str) -> None:
    """A job that runs it has a token that reads contents alone; one that may write runs none."""
    for job_name, job in document(SHIPPED[name])["jobs"].items():
        used = {step["uses"].partition("@")[0] for step in job["steps"]}
        runs = {f"$/actions/{it}" for it in RUNS_CODE} & used
        writes = {key for key, value in job["permissions"].items() if value == "write"}

        assert not (runs and job["permissions"] != {"contents": "read"}), job_name
        assert not (writes and runs), job_name
        assert all("uses" in step and "run" not in step for step in job["steps"]), job_name
        if writes:
            installed = "\n".join(
                ACTIONS[it.removeprefix("$/actions/")].read_text()
                for it in used
                if it.startswith("$/")
            )
            assert '/../ml-gitops" train' not in installed, job_name


@pytest.mark.parametrize("name", ["look", "propose", "report"])
def test_what_writes_installs_nothing_that_the_author_names(name: str) -> None:
    """The file of what the author's code needs is the author's, too: it is not even read."""
    text = ACTIONS[name].read_text()

    assert "REQUIREMENTS" not in text
    assert '/../ml-gitops" base' in text


def test_training_and_proposing_are_of_the_same_look() -> None:
    """Both go over what the look left: one on its commit, the other whatever came of that."""
    jobs = document(SHIPPED["model-cm.yml"])["jobs"]
    matrix = {"include": "${{ fromJSON(needs.look.outputs.retrain || '[]') }}"}
    checkout, _, upload = jobs["train"]["steps"]

    assert jobs["train"]["strategy"] == jobs["propose"]["strategy"]
    assert jobs["train"]["strategy"] == {"fail-fast": False, "matrix": matrix}
    assert checkout["with"]["ref"] == "${{ matrix.commit }}"
    assert upload["with"]["name"] == "${{ steps.train.outputs.artifact }}"
    assert jobs["propose"]["needs"] == ["look", "train"]
    assert "!cancelled()" in jobs["propose"]["if"]
    assert [it["uses"] for it in jobs["propose"]["steps"]] == ["$/actions/propose"]


def test_the_job_after_a_fork_s_run_does_one_thing() -> None:
    """It has no checkout, no cache, no download: one step, which is ours."""
    (job,) = document(SHIPPED["model-report.yml"])["jobs"].values()
    used = [step["uses"].partition("@")[0] for step in job["steps"]]

    assert used == ["$/actions/report"]


def test_every_pull_request_is_reported_on_by_one_of_the_two() -> None:
    """What the job of the run leaves to the run after it is what that one takes."""
    here = " ".join(document(SHIPPED["model-ci.yml"])["jobs"]["report"]["if"].split())
    after = " ".join(document(SHIPPED["model-report.yml"])["jobs"]["report"]["if"].split())

    assert here.endswith(
        "github.event.pull_request.head.repo.full_name == github.repository && "
        "github.actor != 'dependabot[bot]'"
    )
    assert after.endswith(
        "( github.event.workflow_run.head_repository.full_name != github.repository || "
        "github.event.workflow_run.actor.login == 'dependabot[bot]')"
    )


def test_credentials_stay_with_no_checkout() -> None:
    """No checkout leaves its token in the work tree, where the author's code would find it."""
    for path in WORKFLOWS.values():
        for step in steps(path):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, path


def test_what_opens_data_reaches_only_what_loads_it() -> None:
    """The secret is an input of the steps that load rows, in jobs whose token only reads."""
    for name, path in SHIPPED.items():
        workflow = document(path)
        called = workflow["on"]["workflow_call"] or {}
        given = [
            (job, step["uses"])
            for job, it in workflow["jobs"].items()
            for step in it["steps"]
            if step.get("with", {}).get("credentials", "") == CREDENTIALS.get(name)
        ]
        loads = [
            (job, step["uses"])
            for job, it in workflow["jobs"].items()
            for step in it["steps"]
            if step.get("uses") in {"$/actions/validate-data", "$/actions/train-candidate"}
        ]
        assert path.read_text().count("secrets.") == len(given)
        assert given == loads
        assert ("data" in called.get("secrets", {})) is bool(given) is (name in CREDENTIALS)
        for job, _ in given:
            assert workflow["jobs"][job]["permissions"] == {"contents": "read"}
    assert document(SHIPPED["model-ci.yml"])["jobs"]["train"]["env"] == {"STRANGER": STRANGER}


STRANGER = (
    "${{ github.event.pull_request.head.repo.full_name != github.repository || "
    "github.actor == 'dependabot[bot]' }}"
)


def run_installed(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the installer where all is installed, and a stand-in prints its variables."""
    home = tmp_path / "ml-gitops"
    (home / "bin").mkdir(parents=True)
    (home / ".train").touch()
    command = home / "bin" / "ml-gitops"
    command.write_text("#!/bin/sh\nenv | sort\n")
    command.chmod(0o755)
    return subprocess.run(
        [ROOT / "actions" / "ml-gitops", "train", "train"],
        env={"PATH": "/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path), **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_credentials_become_variables_that_the_log_hides(tmp_path: Path) -> None:
    """Each line is one, masked before anything runs; whoever runs sees them, and not the whole."""
    told = "WAREHOUSE=s3://a b=c%25\r\n\nKEY_2=$(id)'\"\nEMPTY=\n"

    done = run_installed(tmp_path, CREDENTIALS=told)

    *masked, rest = re.split(r"(?m)^(?=[^:])", done.stdout, maxsplit=1)
    assert masked == ["::add-mask::s3://a b=c%2525\n::add-mask::$(id)'\"\n"]
    seen = dict(line.split("=", 1) for line in rest.splitlines())
    assert (seen["WAREHOUSE"], seen["KEY_2"], seen["EMPTY"]) == ("s3://a b=c%25", "$(id)'\"", "")
    assert "CREDENTIALS" not in seen
    assert run_installed(tmp_path / "none").stdout.count("add-mask") == 0


@pytest.mark.parametrize(
    "line", ["hunter2", "=hunter2", "GITHUB_TOKEN=hunter2", "a-b=hunter2", "ML_GITOPS_NOW=hunter2"]
)
def test_credentials_of_another_form_are_refused_unread(tmp_path: Path, line: str) -> None:
    """What is no NAME=value, or would steer the runner, ends the job; nothing of it is told."""
    done = run_installed(tmp_path, CREDENTIALS=f"A=b\n{line}\n")

    assert done.returncode == 2
    assert "::error::credentials are lines like NAME=value" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_downloads_are_kept_only_where_nothing_is_secret() -> None:
    """The cache is on in the one job that runs the author's code with a token that reads."""
    cached = [
        (name, job)
        for name, path in WORKFLOWS.items()
        for job, it in document(path)["jobs"].items()
        for step in it["steps"]
        if str(step.get("with", {}).get("cache", "false")) == "true"
    ]

    assert cached == [("model-ci.yml", "train")]
    assert document(ACTIONS["setup"])["inputs"]["cache"]["default"] == "false"


def test_the_rights_are_those_that_the_flows_are_tested_with() -> None:
    """The tokens of the tests of both jobs have the rights of the workflow, and no more."""

    def rights(given: dict[str, str]) -> set[str]:
        return {f"{key.replace('_', '-')}: {value}" for key, value in given.items()}

    assert rights(READS) - {"metadata: read"} == RIGHTS["model-ci.yml"]["train"]
    assert rights(REPORTS) - {"metadata: read"} == RIGHTS["model-ci.yml"]["report"]
    assert RIGHTS["model-ci.yml"]["report"] == RIGHTS["model-report.yml"]["report"]
    assert rights(READS) - {"metadata: read"} == RIGHTS["model-cm.yml"]["train"]
    assert rights(WRITES) - {"metadata: read"} == RIGHTS["model-cm.yml"]["propose"]
    assert RIGHTS["model-cm.yml"]["propose"] == RIGHTS["model-cm.yml"]["look"]


def test_the_installer_knows_its_environments(tmp_path: Path) -> None:
    """Another environment than the locked ones is refused in one line, and nothing is made."""
    done = subprocess.run(
        [ROOT / "actions" / "ml-gitops", "all --index-url evil"],
        env={"PATH": "/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stdout.startswith("::error::extra must be base, train, serve or all")
    assert list(tmp_path.iterdir()) == []


def test_the_installer_takes_only_what_is_locked() -> None:
    """Every install names hashes or nothing at all from an index."""
    script = (ROOT / "actions" / "ml-gitops").read_text()
    commands = script.replace("\\\n", " ").splitlines()

    taken = [line for line in commands if '-r "' in line]
    theirs = taken.pop()
    assert theirs.lstrip().startswith("env -u GITHUB_TOKEN ")
    assert '--constraint "$root/requirements/all.txt"' in theirs
    assert len(taken) == 2
    assert all("--require-hashes" in line and "--only-binary :all:" in line for line in taken)
    assert '--no-deps --no-build-isolation --reinstall-package ml-gitops "$root"' in script
    assert not [line for line in commands if shlex.split(line, comments=True)[:1] == ["eval"]]
