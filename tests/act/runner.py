"""Runs a repository's workflows as GitHub would: act in host mode, without containers.

What act does not know is replaced where nobody would notice: `$/actions/x`, which means this
product at its own commit, becomes an address that act is told to find in a copy of the work tree;
`actions/checkout` and its like are stand-ins beside this file. act asks for no permissions, knows
no concurrency and no filters of events; `tests/contract/test_workflows.py` holds those.
"""

import json
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.github.server import GitHubServer
from tests.github.setup import TestRepository

ROOT = Path(__file__).parents[2]
PRODUCT = "acme/ml-gitops"
COMMIT = "0" * 39 + "1"
"""Stands for the commit of this work tree."""
INSTALL = "go install -tags WITHOUT_DOCKER github.com/nektos/act@v0.2.87"
STAND_INS = {
    "actions/cache": "cache",
    "actions/checkout": "checkout",
    "actions/upload-artifact": "upload-artifact",
}
_SELF = re.compile(r"\$/(actions/[\w-]+)")
_PINNED = re.compile(r"uses: (actions/[\w-]+)@([0-9a-f]{40})")


def find_act() -> str | None:
    """Return where act is; None if it is not installed."""
    home = pwd.getpwuid(os.getuid()).pw_dir
    places = [f"{home}/go/bin", os.environ.get("GOBIN", ""), os.environ["PATH"]]
    return shutil.which("act", path=os.pathsep.join(filter(None, places)))


def copy_product(folder: Path) -> Path:
    """Copy what this work tree would commit, with `$/` made an address that act understands."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, folder / name
        if name.startswith(("tests/", "benchmarks/")) or not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
        if source.suffix == ".yml":
            target.write_text(_SELF.sub(rf"{PRODUCT}/\1@{COMMIT}", source.read_text()))
    return folder


@dataclass
class Done:
    """How a run of a workflow ended.

    Attributes:
        jobs: name to success or failure, of every job that ran.
        log: everything that was said.
        code: of act.
    """

    jobs: dict[str, str]
    log: str
    code: int


@dataclass
class Runner:
    """A machine that runs workflows of one repository.

    Attributes:
        act: the program.
        product: a copy of this product.
        server, repository: GitHub, and the repository whose workflows run.
        folder: scratch.
    """

    act: str
    product: Path
    server: GitHubServer
    repository: TestRepository
    folder: Path

    def __post_init__(self) -> None:
        """Give what jobs upload to GitHub, before anybody asks it for artifacts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.server.faults.add(self.collect, path="/artifacts", times=10**9)

    @property
    def shelf(self) -> Path:
        """Where the stand-in for uploads leaves what it is given."""
        return self.folder / "shelf"

    def collect(self) -> None:
        """Take what was uploaded, each once."""
        for place in sorted(self.shelf.glob("[0-9]*/[!.]*")):
            files = {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}
            if int(place.parent.name) in {run.id for run in self.repository.record.runs}:
                self.repository.add_artifact(int(place.parent.name), place.name, files)
                shutil.rmtree(place)

    def run(
        self,
        event: str,
        workflow: str,
        document: Mapping[str, Any],
        *,
        token: str,
        run: int,
        sha: str,
        **variables: str,
    ) -> Done:
        """Run one workflow of the repository, from its first job to its last.

        Args:
            event: its name.
            workflow: file in `.github/workflows`.
            document: the event's own.
            token: what the jobs get.
            run: id of the run.
            sha: the commit whose workflow file counts.
            variables: more of them, for every job.
        """
        work = self.folder / f"work-{run}"
        shutil.rmtree(work, ignore_errors=True)
        self._git("clone", "--quiet", str(self.repository.path), str(work))
        self._git("-C", str(work), "fetch", "--quiet", "origin", sha)
        self._git("-C", str(work), "checkout", "--quiet", "--detach", sha)
        told = self.folder / f"event-{run}.json"
        told.write_text(json.dumps(document))
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        done = subprocess.run(
            [self.act, event, *self._words(workflow, told, token, run, sha, variables)],
            cwd=work,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "ACT_DISABLE_VERSION_CHECK": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.collect()
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        ended = [it for it in lines if "jobResult" in it]
        jobs = {it["job"].rpartition("/")[2].strip(): it["jobResult"] for it in ended}
        said = "\n".join(str(it.get("msg", "")).rstrip() for it in lines)
        return Done(jobs, f"{said}\n{done.stderr}", done.returncode)

    def _words(
        self, workflow: str, told: Path, token: str, run: int, sha: str,
        more: Mapping[str, str],
    ) -> list[str]:  # fmt: skip
        home = pwd.getpwuid(os.getuid()).pw_dir
        variables = {
            "GITHUB_API_URL": self.server.url,
            "GITHUB_SERVER_URL": self.server.web_url,
            "GITHUB_GRAPHQL_URL": self.server.graphql_url,
            "GITHUB_REPOSITORY": self.repository.full_name,
            "GITHUB_RUN_ID": str(run),
            "GITHUB_RUN_ATTEMPT": "1",
            "SHA_REF": sha,
            "SHELF": str(self.shelf),
            "OMP_NUM_THREADS": "1",
            "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", f"{home}/.cache/uv"),
            "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", f"{home}/.cache/pip"),
            **{name: os.environ[name] for name in PASSED if name in os.environ},
            **more,
        }
        pins = {(PRODUCT, COMMIT): self.product}
        shipped = (".github/workflows/model-*.yml", "actions/*/action.yml")
        for path in (it for pattern in shipped for it in self.product.glob(pattern)):
            for name, pin in _PINNED.findall(path.read_text()):
                pins[name, pin] = Path(__file__).parent / STAND_INS[name]
        words = ["-W", f".github/workflows/{workflow}", "-e", str(told)]
        words += ["-s", f"GITHUB_TOKEN={token}"]
        words += ["--json", "--no-cache-server", "--concurrent-jobs", "1", "--rm"]
        words += ["--action-cache-path", str(self.folder / "actions"), "--defaultbranch", "main"]
        words += ["-P", "ubuntu-24.04=-self-hosted"]
        for name, value in variables.items():
            words += ["--env", f"{name}={value}"]
        for (name, pin), place in pins.items():
            words += ["--local-repository", f"{name}@{pin}={place}"]
        return words

    def _git(self, *words: str) -> None:
        subprocess.run(["git", *words], check=True, capture_output=True)


PASSED = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PIP_CERT",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "UV_DEFAULT_INDEX",
)
"""Where this machine gets packages from, if it says so."""
