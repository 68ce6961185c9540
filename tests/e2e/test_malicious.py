"""Pull requests of a fork that want more than a review: nothing of theirs runs, nothing is hurt.

Each case goes through the job that may write, on GitHub's API, under the hook of `hostile.watch`.
What would be harmed stands ready: another pull request, files outside, a process that a canary's
name is given to. `expected` is how it must end: `posted`, or the check that refuses it.
"""

import io
import json
import pickle
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ml_gitops.cli.setting import BOT
from ml_gitops.document import canonical_json, sha256
from ml_gitops.pull_request import Marker
from tests.e2e.test_actions_publishing import BRANCH, READS, Job, forged, forged_report
from tests.e2e.world import World
from tests.github.artifacts import zipped
from tests.github.caller import Caller
from tests.github.server import GitHubServer
from tests.hostile.payloads import PAYLOADS
from tests.hostile.watch import Rules, traces, watching

pytestmark = [pytest.mark.hostile, pytest.mark.slow]
CANARY = "canary"
"""A file of this name is what every command of a case would leave."""
NONE = "sha256:" + "0" * 64
Attack = Callable[[Job], Mapping[str, bytes] | bytes]


class Evil:
    """Something that runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Say what to call."""
        return __import__("os").system, (f"touch {CANARY}",)


PICKLED = pickle.dumps(Evil())


@pytest.fixture(scope="module")
def siege(
    trained: World, tmp_path_factory: pytest.TempPathFactory, server: GitHubServer
) -> Iterator[Job]:
    """Make a repository with two pull requests: a fork's, which attacks, and one of a person."""
    base = tmp_path_factory.mktemp("siege")
    world = trained.copy(base / "churn")
    made = server.create_repository("acme/siege")
    world.clone.run("push", "--quiet", str(made.path), "main")
    source = server.create_fork(made.full_name, "eve")
    world.clone.run("push", "--quiet", str(source.path), BRANCH)
    world.clone.set_remote(made.clone_url)
    made.add_collaborator("ada")
    made.push("innocent", {"README.md": "Hello.\n"})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "GITHUB_API_URL": server.url,
            "GITHUB_SERVER_URL": server.web_url,
            "GITHUB_REPOSITORY": made.full_name,
            "GITHUB_TOKEN": server.token(BOT.login, READS),
        }.items():
            patch.setenv(name, value)
        (base / "job").mkdir()
        world.run("train", "--leave", str(base / "left"))
        Caller(server, server.token("eve"), made.full_name).propose(f"eve:{BRANCH}", "A model")
        Caller(server, server.token("ada"), made.full_name).propose("innocent", "Say hello")
        yield Job(server, made, source, world, base / "left", base / "job", patch)


@pytest.fixture(autouse=True)
def unharmed(siege: Job, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Hold after every case that nobody else was harmed, and that the log obeys nothing."""
    threads, before = siege.repository.record.threads, traces(siege.folder.parent)
    innocent = threads[2]
    told = (innocent.title, innocent.body, innocent.state, len(innocent.notes), innocent.updated)
    refs = {name: it for name, it in siege.repository.record.refs.items() if "pull" not in name}
    siege.notes.clear()
    yield
    after = threads[2]
    assert told == (after.title, after.body, after.state, len(after.notes), after.updated)
    assert set(threads) == {1, 2}
    assert refs == {
        name: it for name, it in siege.repository.record.refs.items() if "pull" not in name
    }
    left = {Path(it).name for it in traces(siege.folder.parent) - before}
    assert left <= {"event.json", "outcome.json", "outputs", "summary"}
    assert not any(CANARY in it for it in traces(siege.folder.parent))
    out, err = capfd.readouterr()
    for line in (*out.splitlines(), *err.splitlines()):
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line, line


def attack(siege: Job, files: Mapping[str, bytes] | bytes, **event: Any) -> Any:
    """Leave something of a run, and let the job that may write look at it."""
    run = siege.run()
    siege.leave(run, files)
    told = siege.event(run, **event)
    hosts = [urlsplit(it).netloc for it in (siege.server.url, siege.server.world.storage.url)]
    rules = Rules(writes=[str(siege.folder)], authors=[str(siege.world.root)], hosts=hosts)
    with watching(rules) as problems:
        done = siege.publish(told)
    assert problems == []
    return done


def left(siege: Job, **changes: bytes | None) -> dict[str, bytes]:
    """Return what the run left, with other files, each by its name with `_` for `.`."""
    files = {path.name: path.read_bytes() for path in siege.left.iterdir()}
    for name, content in changes.items():
        if content is None:
            del files[name.replace("_", ".")]
        else:
            files[name.replace("_", ".")] = content
    return files


def entry(name: str, content: bytes, *, mode: int = stat.S_IFREG | 0o644) -> Attack:
    """Return an archive as it should be, with one entry more."""

    def pack(siege: Job) -> bytes:
        target = io.BytesIO(zipped(left(siege)))
        with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
        return target.getvalue()

    return pack


def model(content: bytes) -> Attack:
    """Return what a run left with another model in it, and every record made to fit."""

    def forge(siege: Job) -> dict[str, bytes]:
        digest = sha256(content)
        report = json.loads((siege.left / "report.json").read_text())
        report |= {"model_digest": digest, "model_bytes": len(content)}
        files = forged(siege, "report.json", **report) | {"model.onnx": content}
        run = json.loads(files["run.json"])
        run["files"]["model.onnx"] = digest
        return files | {"run.json": canonical_json(run).encode()}

    return forge


def document(name: str, content: bytes) -> Attack:
    """Return what a run left with another document in it, and the record made to fit."""

    def forge(siege: Job) -> dict[str, bytes]:
        files = left(siege)
        run = json.loads(files["run.json"])
        files[name] = content
        if name in run["files"]:
            run["files"][name] = sha256(content)
            files["run.json"] = canonical_json(run).encode()
        return files

    return forge


def tarred() -> bytes:
    """Return an archive of the other kind."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        info = tarfile.TarInfo(f"../../{CANARY}")
        archive.addfile(info)
    return target.getvalue()


def twice(siege: Job) -> bytes:
    """Return an archive in which a report stands twice: which one is read?"""
    target = io.BytesIO(zipped(left(siege)))
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(target, "a") as archive,
    ):
        archive.writestr("report.json", b"{}")
    return target.getvalue()


def bomb(siege: Job) -> bytes:
    """Return an archive of a hundred kilobytes that unpacks to a hundred megabytes."""
    return zipped({**left(siege), "model.onnx": bytes(100 << 20)})


def many(siege: Job) -> bytes:
    """Return an archive of more files than any run leaves."""
    return zipped({**left(siege), **dict.fromkeys(map(str, range(1001)), b"")})


def lying(siege: Job) -> bytes:
    """Return an archive whose entry says that it is smaller than it is."""
    content = bytearray(zipped(left(siege)))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (1).to_bytes(4, "little")
    return bytes(content)


def damaged(siege: Job) -> bytes:
    """Return an archive whose checksum does not fit."""
    content = bytearray(zipped(left(siege)))
    content[content.index(b"PK\x03\x04") + 60] ^= 0xFF
    return bytes(content)


def onnx(**changes: Any) -> bytes:
    """Return a model that wants other files, or the operators of strangers."""
    from tests.unit.test_onnx_model import tiny_file

    return bytes(tiny_file(**changes).SerializeToString())


ARCHIVES: dict[str, tuple[str, Attack]] = {
    "climbs": ("E08", entry(f"../../{CANARY}", b"x")),
    "climbs from a folder": ("E08", entry(f"a/../../{CANARY}", b"x")),
    "from the root": ("E08", entry(f"/{CANARY}", b"x")),
    "from a drive": ("E08", entry(f"C:\\{CANARY}", b"x")),
    "with the other slash": ("E08", entry(f"..\\..\\{CANARY}", b"x")),
    "in the home": ("E08", entry(f"~/{CANARY}", b"x")),
    "a link to a file": ("E08", entry("report.json ", b"/etc/passwd", mode=stat.S_IFLNK | 0o777)),
    "a link to a folder": ("E08", entry("a", b"/tmp", mode=stat.S_IFLNK | 0o777)),
    "a device": ("E08", entry("null", b"", mode=stat.S_IFCHR | 0o666)),
    "a pipe": ("E08", entry("fifo", b"", mode=stat.S_IFIFO | 0o666)),
    "a folder": ("E08", entry("report.json/", b"")),
    "a name of two lines": ("E08", entry("a\n::error::x", b"")),
    "a name that hides its end": ("E08", entry("gpj.\u202enosj.troper", b"")),
    "a report twice": ("E08", twice),
    "a report in capitals, too": ("E08", entry("REPORT.JSON", b"{}")),
    "a pickle": ("E08", entry("model.pkl", PICKLED)),
    "a joblib": ("E08", entry("pipeline.joblib", PICKLED)),
    "code for Python's start": ("E08", entry("sitecustomize.py", f"open('{CANARY}','w')".encode())),
    "a conftest": ("E08", entry("conftest.py", f"open('{CANARY}', 'w')".encode())),
    "a path file": ("E08", entry("x.pth", f"import os; os.system('touch {CANARY}')".encode())),
    "a hook": ("E08", entry(".git/hooks/post-checkout", f"touch {CANARY}".encode())),
    "a config of Git": ("E08", entry(".gitconfig", f"[core]\npager = touch {CANARY}".encode())),
    "attributes": ("E08", entry(".gitattributes", b"* filter=evil")),
    "the environment of the job": ("E08", entry("GITHUB_ENV", b"LD_PRELOAD=/tmp/x.so")),
    "another number": ("E08", entry("pull_request.txt", b"2")),
    "another event": ("E08", entry("event.json", b'{"pull_request": {"number": 2}}')),
    "a bomb": ("E08", bomb),
    "a thousand files more": ("E08", many),
    "a size that is a lie": ("E08", lying),
    "a checksum that is a lie": ("E08", damaged),
    "cut off": ("E08", lambda it: zipped(left(it))[:-30]),
    "a tar": ("E08", lambda _: tarred()),
    "a pickle instead": ("E08", lambda _: PICKLED),
    "nothing in it": ("E08", lambda _: zipped({})),
    "no report": ("E08", lambda it: left(it, report_json=None)),
    "no model": ("E08", lambda it: left(it, model_onnx=None)),
    "an empty model": ("E08", lambda it: left(it, model_onnx=b"")),
}  # fmt: skip
"""Archives: where they would write, what they would become."""

DOCUMENTS: dict[str, tuple[str, Attack]] = {
    "no number": ("E09", document("report.json", b'{"a": NaN}')),
    "no end": ("E09", document("report.json", b'{"a": Infinity}')),
    "too large a number": ("E09", document("evaluation.json", b'{"a": 1e999}')),
    "digits without end": ("E09", document("report.json", b'{"a": 1' + b"0" * 5000 + b"}")),
    "nested without end": ("E09", document("report.json", b"[" * 200_000)),
    "nested and closed": ("E09", document("run.json", b'{"a":' * 5000 + b"1" + b"}" * 5000)),
    "said twice": ("E09", document("report.json", b'{"model": "churn", "model": "other"}')),
    "a mark of byte order": ("E09", document("report.json", b"\xef\xbb\xbf{}")),
    "of two bytes": ("E09", document("report.json", "{}".encode("utf-16"))),
    "no text": ("E09", document("report.json", b"\xff\xfe")),
    "a zero byte": ("E09", document("report.json", b'{"a": "\x00"}')),
    "two documents": ("E09", document("report.json", b"{}{}")),
    "a pickle as a report": ("E09", document("report.json", PICKLED)),
    "YAML with a tag": (
        "E09", document("report.json", f"!!python/object/apply:os.system [{CANARY}]".encode())
    ),
    "a text without end": ("E10", document("report.json", json.dumps({"a": "x" * 5000}).encode())),
    "a list without end": ("E10", document("report.json", json.dumps([1] * 20_000).encode())),
    "a document without end": ("E08", document("report.json", b" " * (9 << 20))),
    "no object": ("E12", document("report.json", b"[]")),
    "an empty object": ("E12", document("report.json", b"{}")),
    "a key to a class": ("E12", lambda it: forged(it, "report.json", __class__="os.system")),
    "a key to a number": ("E12", lambda it: forged(it, "report.json", pull_request=2)),
    "a key to a body": ("E12", lambda it: forged(it, "report.json", body="@octocat")),
    "a model of another": ("E12", lambda it: forged_report(it, "model", "other")),
    "a run of another": ("E12", lambda it: forged_report(it, "run_key", NONE)),
    "a gate of one's own": ("E12", lambda it: forged_report(it, "basis.standing.gate", NONE)),
    "checks of one's own": ("E12", lambda it: forged_report(it, "basis.standing.checks", NONE)),
    "one's own champion": ("E12", lambda it: forged_report(it, "basis.standing.champion", NONE)),
    "a verdict of one's own": ("E12", lambda it: forged_report(it, "gate.verdict", "warn")),
    "a metric that is none": ("E12", lambda it: forged_report(it, "comparison.primary", "exec")),
    "a size of one's own": ("E12", lambda it: forged_report(it, "model_bytes", 1)),
    "a record of files elsewhere": (
        "E10", lambda it: forged(it, "run.json", files={"../../etc/passwd": NONE})
    ),
    "a record of another key": ("E10", lambda it: forged(it, "run.json", run_key="../../x")),
}  # fmt: skip
"""Documents: what a parser would fall over, and what they claim."""

MODELS: dict[str, tuple[str, Attack]] = {
    "a pickle": ("posted", model(PICKLED)),
    "an archive of pickles": ("posted", model(zipped({"archive/data.pkl": PICKLED}))),
    "another file of the machine": ("posted", model(onnx(location="/etc/passwd"))),
    "another file, climbing": ("posted", model(onnx(location="../../../etc/passwd"))),
    "another file beside it": ("posted", model(onnx(location=".git/config"))),
    "another file in a node": ("posted", model(onnx(location="x", inside_a_node=True))),
    "operators of strangers": ("posted", model(onnx(domain="com.example"))),
    "no model": ("posted", model(b"\x7fELF" + bytes(100))),
}
"""Models: a fork's is neither loaded nor kept, so its numbers are shown as its own word."""


def owned_by(login: str) -> dict[str, Any]:
    """Return an event of a repository whose owner has this login."""
    return {"head_repository": {"id": 1, "owner": {"login": login}}}


EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "of another workflow": ("E01", {"path": ".github/workflows/evil.yml"}),
    "of the same name elsewhere": ("E01", {"path": ".github/workflows/../ci.yml"}),
    "of a push": ("E01", {"event": "push"}),
    "of pull_request_target": ("E01", {"event": "pull_request_target"}),
    "of another repository": ("E01", {"repository": {"id": 1}}),
    "of no commit": ("E02", {"head_sha": "main"}),
    "of an option": ("E02", {"head_sha": "--upload-pack=x"}),
    "of a branch of two lines": ("E02", {"head_branch": "a\nb"}),
    "of an owner with a query": ("E02", owned_by("a&b=c")),
    "of an owner that climbs": ("E02", owned_by("../x")),
    "that names another pull request": ("posted", {"pull_requests": [{"number": 2}]}),
    "with a title of commands": ("posted", {"display_title": f"$(touch {CANARY})\n::set-env::x"}),
    "with a message of commands": ("posted", {"head_commit": {"message": f"`touch {CANARY}`"}}),
    "of another branch": ("E03", {"head_branch": "innocent"}),
    "of another commit": ("E03", {"head_sha": "b" * 40}),
}  # fmt: skip
"""Events: GitHub writes them, of what people called things."""

BRANCHES = [
    f"x;touch${{IFS}}{CANARY}",
    f"$(touch${{IFS}}{CANARY})",
    f"`touch${{IFS}}{CANARY}`",
    f"x|touch${{IFS}}{CANARY}",
    f"x&&touch${{IFS}}{CANARY}",
    "x'y\"z",
    "<script>alert(1)</script>",
    "-upload-pack=touch",
    "${{github.token}}",
    "a%0A::add-mask::b".replace(":", ""),
    "x#2",
    "pull/2/head",
    "refs/heads/innocent",
    "main&state=all&head=ada",
    "@octocat",
    "x" * 200,
    "\u202eniam",
    "été-東京",
]
"""Names of branches that Git allows."""


def calm(done: Any, siege: Job, expected: str) -> None:
    """Hold how a case ended: refused with nothing said, or said as a fork's own word."""
    assert done["code"] == expected, done
    if expected == "posted":
        assert [it.author.login for it in siege.notes] == [BOT.login]
        assert siege.notes[0].body.startswith("> **Reported by code from a fork")
        assert not done["trusted"]
    else:
        assert siege.notes == []


def named(table: Mapping[str, tuple[str, Any]]) -> pytest.MarkDecorator:
    """Return the cases of a table, by name."""
    cases = [pytest.param(*case, id=name) for name, case in table.items()]
    return pytest.mark.parametrize(("expected", "made"), cases)


@named(ARCHIVES)
def test_no_archive_writes_or_runs(siege: Job, expected: str, made: Attack) -> None:
    """An archive that nobody honest makes is refused whole; no byte of it reaches the disk."""
    calm(attack(siege, made(siege)), siege, expected)


@named(DOCUMENTS)
def test_no_document_is_believed(siege: Job, expected: str, made: Attack) -> None:
    """What parsers fall over is not parsed; what a report claims is held to what is known."""
    calm(attack(siege, made(siege)), siege, expected)


@named(MODELS)
def test_no_model_is_loaded(siege: Job, expected: str, made: Attack) -> None:
    """The job that may write shows numbers, and opens no model, whatever it is."""
    calm(attack(siege, made(siege)), siege, expected)
    assert not (siege.folder / "outbox").exists()


@named(EVENTS)
def test_no_event_leads_elsewhere(siege: Job, expected: str, made: dict[str, Any]) -> None:
    """The pull request is the one at the commit that ran; nothing that people named is obeyed."""
    calm(attack(siege, left(siege), **made), siege, expected)


@pytest.mark.parametrize("name", BRANCHES)
def test_no_branch_is_a_command(siege: Job, name: str) -> None:
    """A branch is asked for by its name and never shown; it finds its pull request or none."""
    siege.world.clone.run("push", "--quiet", str(siege.source.path), f"{BRANCH}:refs/heads/{name}")

    done = attack(siege, left(siege), head_branch=name)

    calm(done, siege, "E03" if name.isprintable() else "E02")
    assert name not in json.dumps(done)


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS)
def test_no_word_of_a_report_is_live(
    siege: Job, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a report says becomes text in the comment, and nothing in outputs, summary and log."""
    outputs, summary = siege.folder / "outputs", siege.folder / "summary"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    reason = {"missing": True, "reason": text.encode(errors="replace").decode()}

    done = attack(siege, forged_report(siege, "comparison.champion", reason))

    calm(done, siege, "posted")
    for line in outputs.read_text().splitlines():
        assert line in ("", "fork", "pass", "1", "true", "false") or "end-" in line, line
    outputs.unlink()
    summary.unlink(missing_ok=True)


@pytest.mark.parametrize(
    "marker",
    [
        Marker(kind="report", model="churn"),
        Marker(kind="report", model="churn", fingerprint="sha256:" + "0" * 64, content="x"),
        Marker(kind="retrain", model="churn", fingerprint="sha256:" + "0" * 64),
        Marker(kind="promotion", model="churn-production"),
        Marker(kind="retrain", model="churn", content="hands off"),
    ],
    ids=lambda it: f"{it.kind} {it.content}",
)
@pytest.mark.parametrize("login", ["eve", "ml-gitops", "ml-gitops-bot"])
def test_no_marker_of_a_person_is_ours(siege: Job, login: str, marker: Marker) -> None:
    """Whoever copies the hidden marker is left alone, and ours is written beside it."""
    token = siege.server.token(login)
    told = f"Passes.\n\n{marker.render()}"
    Caller(siege.server, token, siege.repository.full_name).post("/issues/1/comments", body=told)

    done = attack(siege, left(siege))

    assert done["code"] == "posted"
    assert [it.author.login for it in siege.notes] == [login, BOT.login]
    assert siege.notes[0].body == told


def test_there_are_enough() -> None:
    """These alone are more than the hundred and fifty that were asked for."""
    tables = (ARCHIVES, DOCUMENTS, MODELS, EVENTS, BRANCHES, PAYLOADS)
    assert sum(map(len, tables)) + 15 >= 150
