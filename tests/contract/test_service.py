"""The built Bento, served by BentoML itself and asked over HTTP."""

import gzip
import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from pydantic import BaseModel, ValidationError
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from ml_gitops.adapters.bento import SERVED_MODULES, build, unpack
from ml_gitops.adapters.server import Server, serve
from ml_gitops.data.schema import Feature
from ml_gitops.delivery.release import ServedRelease
from ml_gitops.document import sha256
from ml_gitops.errors import ServiceError
from ml_gitops.serving.conversion import convert
from ml_gitops.serving.onnx_model import OnnxModel, class_names, conform
from ml_gitops.serving.predictor import Predictor
from ml_gitops.serving.requests import request_models
from ml_gitops.serving.runtime import Runtime
from ml_gitops.serving.signature import Signature

FEATURES = (
    Feature(name="temp", type="number", nullable=True, minimum=-80, maximum=130, about="in °F"),
    Feature(name="hour", type="integer", minimum=0, maximum=23),
    Feature(name="holiday", type="boolean"),
    Feature(name="origin", type="string", values=("EWR", "JFK", "LGA")),
    Feature(name="model tail", type="string", nullable=True),
    Feature(name="seats", type="integer"),
)
NEW_YORK = timezone(timedelta(hours=-4))
GOOD = {
    "temp": 51.5,
    "hour": 17,
    "holiday": False,
    "origin": "EWR",
    "model tail": "N14228",
    "seats": 149,
}


def rows(count: int = 400) -> pd.DataFrame:
    """Return rows with some values missing."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "temp": rng.normal(50, 15, count),
            "hour": rng.integers(0, 24, count),
            "holiday": rng.random(count) < 0.1,
            "origin": rng.choice(["EWR", "JFK", "LGA"], count),
            "model tail": rng.choice(["N14228", "N24211"], count),
            "seats": rng.integers(50, 400, count),
        }
    )
    frame.loc[::7, "temp"] = np.nan
    return frame


@pytest.fixture(scope="module")
def release_files() -> dict[str, bytes]:
    """Return the files of a small, real release."""
    frame = conform(rows(), FEATURES)
    numbers, strings = ["temp", "hour", "holiday", "seats"], ["origin", "model tail"]
    pipeline = make_pipeline(
        ColumnTransformer(
            [
                ("numbers", SimpleImputer(strategy="median"), numbers),
                ("strings", OneHotEncoder(handle_unknown="ignore", sparse_output=False), strings),
            ]
        ),
        GradientBoostingClassifier(n_estimators=10, random_state=0),
    )
    pipeline.fit(frame, (frame.hour > 15) ^ (frame.origin == "JFK"))
    content = convert(pipeline, FEATURES, "binary")
    signature = Signature(
        model="delay",
        task="binary",
        features=FEATURES,
        target="late",
        classes=class_names(pipeline),
        run_key=sha256(b"run"),
    )
    return {
        "model.onnx": content,
        "signature.json": signature.to_json().encode(),
        ServedRelease.file_name: ServedRelease(tag="delay@v1.0.0", digest=sha256(content))
        .to_json()
        .encode(),
    }


@pytest.fixture(scope="module")
def bento_zip(private_home: Path, release_files: dict[str, bytes]) -> bytes:
    """Return the built Bento."""
    return build(release_files)


@pytest.fixture(scope="module")
def bento(bento_zip: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the unpacked Bento."""
    directory = tmp_path_factory.mktemp("bentos") / "delay"
    unpack(bento_zip, directory)
    return directory


@pytest.fixture(scope="module")
def log_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the service logs."""
    return tmp_path_factory.mktemp("live") / "predictions"


@pytest.fixture(scope="module")
def server(bento: Path, log_dir: Path) -> Iterator[Server]:
    """Serve the Bento for all tests of this module."""
    with serve(bento, port=0, log_dir=log_dir) as running:
        yield running


def post(server: Server, path: str, body: Any, kind: str = "application/json") -> tuple[int, Any]:
    """Post a body and return status and JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, text, _ = ask(server, "POST", path, content, {"content-type": kind})
    return status, json.loads(text)


def ask(
    server: Server, method: str, path: str, body: bytes = b"", headers: Any = None
) -> tuple[int, str, Any]:
    """Return status, text and headers of one exchange."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


def address(server: Server) -> tuple[str, int]:
    """Return host and port of a server."""
    host, port = server.url.removeprefix("http://").split(":")
    return host, int(port)


def logged(log_dir: Path, wanted: set[str]) -> dict[str, dict]:
    """Return the wanted records by id, waiting a second for the writer."""
    deadline = time.monotonic() + 1.0
    while True:
        lines = [line for path in log_dir.glob("*.jsonl") for line in path.read_text().splitlines()]
        found = {record["id"]: record for record in map(json.loads, lines)}
        if wanted <= found.keys() or time.monotonic() > deadline:
            return {name: found[name] for name in wanted}
        time.sleep(0.01)


def test_answers_what_the_onnx_file_answers(
    server: Server, release_files: dict[str, bytes]
) -> None:
    """One request and a batch of the same rows get the scores the ONNX file gave in the tests."""
    signature = Signature.from_json(release_files["signature.json"], where="")
    frame = rows(50)
    expected = OnnxModel(release_files["model.onnx"], signature).predict(frame)
    asked = [{"features": row} for row in json.loads(frame.to_json(orient="records"))]

    status, batch = post(server, "/predict_batch", {"requests": asked})
    single = [post(server, "/predict", request)[1] for request in asked[:5]]

    assert status == 200
    scores = [answer["score"] for answer in batch["answers"]]
    assert scores == expected.scores.tolist()
    assert [answer["score"] for answer in single] == scores[:5]
    assert {answer["label"] for answer in batch["answers"]} == {"false", "true"}


def test_names_the_release_and_makes_up_what_is_left_out(server: Server) -> None:
    """An answer says which release it comes from, and gets an id and the present time."""
    body = json.dumps({"features": GOOD}).encode()

    status, text, headers = ask(server, "POST", "/predict", body)
    answer = json.loads(text)

    assert status == 200
    assert answer["release"] == headers["x-ml-gitops-release"] == "delay@v1.0.0"
    assert len(answer["id"]) == 36
    age = datetime.now(UTC) - datetime.fromisoformat(answer["time"])
    assert 0 <= age.total_seconds() < 20


def test_the_log_holds_what_was_asked_and_answered(
    server: Server, log_dir: Path, release_files: dict[str, bytes]
) -> None:
    """Every answer is in the log with its features as they were sent, in UTC."""
    sparse = {"temp": None, "hour": 5.0, "holiday": True, "origin": "XXX", "seats": 2**53}
    asked = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    requests = [
        {"features": GOOD, "id": "good", "time": asked.astimezone(NEW_YORK).isoformat()},
        {"features": sparse, "id": "é sparse", "time": asked.isoformat()},
    ]

    _, answers = post(server, "/predict_batch", {"requests": requests})
    records = logged(log_dir, {"good", "é sparse"})

    for answer in answers["answers"]:
        record = records[answer["id"]]
        assert answer.items() <= record.items()
        assert record["digest"] == sha256(release_files["model.onnx"])
        assert record["time"] == f"{asked:%Y-%m-%dT%H:%M:%S}.000000Z"
    assert records["good"]["features"] == GOOD
    assert records["é sparse"]["features"] == {**sparse, "hour": 5, "model tail": None}


TWICE = b'{"features": {%%s%s, "id": "a"}' % json.dumps(GOOD).encode()[1:]
"""A request with a gap before its first feature."""

BODY = json.dumps({"features": GOOD}).encode()
HALF_A_REQUEST = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY[:20])
)

BAD: dict[str, tuple[Any, str]] = {
    "text for a number": ({"temp": "51"}, "features.temp: should be a valid number"),
    "boolean for a number": ({"temp": True}, "features.temp: should be a valid number"),
    "number below": ({"temp": -81}, "features.temp: should be greater than or equal to -80"),
    "fraction for an integer": ({"hour": 3.5}, "features.hour: should be a valid integer"),
    "text for an integer": ({"hour": "3"}, "features.hour: should be a valid integer"),
    "boolean for an integer": ({"hour": True}, "features.hour: should be a valid integer"),
    "integer above": ({"hour": 24}, "features.hour: should be less than or equal to 23"),
    "number for a boolean": ({"holiday": 1}, "features.holiday: should be a valid boolean"),
    "null that may not be": ({"origin": None}, "features.origin: should be a valid string"),
    "number for a string": ({"model tail": 7}, "features.model tail: should be a valid string"),
    "unknown feature": ({"wind": 3}, "features.wind: is not part of this model's requests"),
    "missing feature": ({"hour": ...}, "features.hour: is missing"),
    "integer that no double holds": (
        {"seats": 2**53 + 1},
        "features.seats: should be less than or equal to 9007199254740992",
    ),
    "integer of 400 digits": (
        {"seats": 10**400},
        "features.seats: should be less than or equal to 9007199254740992",
    ),
    "number of 400 digits": ({"temp": 10**400}, "features.temp: should be a finite number"),
    "endless string": (
        {"origin": "x" * 10_001},
        "features.origin: string should have at most 10000 characters",
    ),
    "list for a string": ({"origin": ["EWR"]}, "features.origin: should be a valid string"),
    "endless name": ({"x" * 999: 1}, f"features.{'x' * 100}: is not part of this model's requests"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(server: Server, name: str) -> None:
    """Every kind of bad feature is a 400 whose one line names the field and what is wrong."""
    change, line = BAD[name]
    features = {key: value for key, value in {**GOOD, **change}.items() if value is not ...}

    status, answer = post(server, "/predict", {"features": features})

    assert status == 400
    assert answer["problems"] == [line]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"", "invalid JSON"),
        (b"{", "invalid JSON"),
        (b"[]", "should be an object"),
        (b'{"features": {"temp": NaN}}', "features.temp: should be a finite number"),
        (b'{"features": {"temp": 1e999}}', "features.temp: should be a finite number"),
        (b"[" * 5000, "invalid JSON: recursion limit"),
        (b'{"features": {}, "user": 1}', "user: is not part"),
        (b'{"features": {}, "id": ""}', "id: string should have at least 1"),
        (b'{"features": {}, "time": "today"}', "time: should be a valid datetime"),
        (b'{"features": {}, "time": "2013-04-02T01:15:00"}', "time: should have timezone"),
        (b'{"features": {}, "time": 1364879700}', "time: should be a valid datetime"),
        (b'{"features": {}, "time": "0001-01-01T00:00:00+14:00"}', "time: should be a year"),
        (b'{"features": {}, "time": "9999-12-31T23:59:59-14:00"}', "time: is ahead of the ser"),
        (b'{"features": {}, "id": 7}', "id: should be a valid string"),
        (b'{"features": null}', "features: should be an object"),
        (b'{"features": "{}"}', "features: should be an object"),
        (b'{"features": {"origin": "\\ud800"}}', "invalid JSON"),
        (b'{"features": {"origin": "\xff"}}', "invalid JSON: invalid unicode"),
        (b"\xef\xbb\xbf{}", "invalid JSON"),
        (b"{} {}", "invalid JSON: trailing"),
        (gzip.compress(b"{}", mtime=0), "invalid JSON"),
        (b'{"features": ' * 5000, "invalid JSON: recursion limit"),
        (TWICE % b'"hour": 3, ', "hour: is there twice"),
        (b'{"features": {}, ' + (TWICE % b"")[1:], "features: is there twice"),
        (TWICE.replace(b'"id"', b'"id": "b", "id"') % b"", "id: is there twice"),
    ],
    ids=lambda value: ascii(value[:40] + value[-20:]) if isinstance(value, bytes) else "",
)
def test_bad_requests_are_named(server: Server, body: bytes, line: str) -> None:
    """Broken or ambiguous JSON and bad ids and times are a 400 that says so, never a 500."""
    status, answer = post(server, "/predict", body)

    assert status == 400
    assert any(problem.startswith(line) for problem in answer["problems"]), answer


@pytest.mark.parametrize(
    ("age", "line"),
    [
        (timedelta(days=6.9), ""),
        (timedelta(days=7.1), "time: is more than 7 days before the service's clock"),
        (timedelta(minutes=-4), ""),
        (timedelta(minutes=-6), "time: is ahead of the service's clock"),
    ],
    ids=str,
)
def test_a_time_is_bounded(server: Server, age: timedelta, line: str) -> None:
    """A client's time lies in the last days; one beyond is a 400 that names field and clock."""
    asked = (datetime.now(UTC) - age).isoformat()

    status, answer = post(server, "/predict", {"features": GOOD, "time": asked})

    assert status == (400 if line else 200)
    assert "".join(answer.get("problems", [])).startswith(line)


def test_a_repeated_id_is_answered_as_what_it_is(server: Server, log_dir: Path) -> None:
    """Answers to one id are told apart by ids of their own, and the log says when each came in."""
    earlier = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    requests = [{"features": GOOD, "id": "again"}, {"features": GOOD, "id": "again"}]
    requests[1]["time"] = earlier

    answers = [post(server, "/predict", request)[1] for request in requests]
    logged(log_dir, {"again"})
    lines = [line for path in log_dir.glob("*.jsonl") for line in path.read_text().splitlines()]
    kept = {one["answer_id"]: one for one in map(json.loads, lines) if one["id"] == "again"}

    assert [answer["id"] for answer in answers] == ["again", "again"]
    first, second = (kept[answer["answer_id"]] for answer in answers)
    assert first["time"] == first["received"] < second["received"]
    assert second["time"] < first["time"]


def test_the_log_is_no_business_of_others(server: Server, log_dir: Path) -> None:
    """Folder and files are closed to everybody but their owner and group."""
    post(server, "/predict", {"features": GOOD, "id": "private"})
    logged(log_dir, {"private"})

    assert log_dir.stat().st_mode & 0o007 == 0
    assert {path.stat().st_mode & 0o777 for path in log_dir.glob("*.jsonl")} == {0o640}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what BentoML uses
def test_a_value_that_no_answer_is_finite_for_is_named(tmp_path: Path) -> None:
    """Numbers that are too large to add are refused with their place, and nothing is logged."""
    from ml_gitops.serving.service import respond  # It brings BentoML, which wants a home.

    features = tuple(Feature(name=name, type="number") for name in ("a", "b"))
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [3.0, 1.0, 2.0, 0.0]})
    pipeline = make_pipeline(LinearRegression()).fit(frame, 100 * (frame.a - frame.b))
    signature = Signature(
        model="sum", task="regression", features=features, target="y", run_key=sha256(b"run")
    )
    content = convert(pipeline, features, "regression")
    predictor = Predictor(signature, "sum@v1.0.0", sha256(content), Runtime(content, signature))
    predictor.open_log(str(tmp_path))
    _, many = request_models(signature, BaseModel)
    batch = [{"features": {"a": a, "b": a}} for a in (1.0, 1.7e308)]

    answer = respond(predictor, many.model_validate({"requests": batch}))
    predictor.close_log()

    assert answer.status_code == 422
    assert json.loads(answer.body)["problems"] == [
        "requests.1: the model has no finite answer to them"
    ]
    assert [path.read_text() for path in tmp_path.iterdir()] == [""]


def test_a_replay_takes_times_of_any_age(release_files: dict[str, bytes]) -> None:
    """Where history is sent again a time may be years old; the future stays closed."""
    signature = Signature.from_json(release_files["signature.json"], where="")
    live, _ = request_models(signature, BaseModel)
    replay, _ = request_models(signature, BaseModel, replay=True)
    old = json.dumps({"features": GOOD, "time": "2013-04-02T05:15:00Z"})

    assert replay.model_validate_json(old).time.year == 2013
    with pytest.raises(ValidationError, match="more than 7 days before"):
        live.model_validate_json(old)
    with pytest.raises(ValidationError, match="ahead of the service's clock"):
        replay.model_validate_json(old.replace("2013", "9013"))


def test_a_caller_that_leaves_is_no_error_of_ours(server: Server) -> None:
    """Half a body and a closed connection leave no traceback, and the service goes on."""
    before = server.output
    with socket.create_connection(address(server)) as caller:
        caller.sendall(HALF_A_REQUEST)
    time.sleep(0.2)

    status, _ = post(server, "/predict", {"features": GOOD})

    assert status == 200
    assert "Traceback" not in server.output[len(before) :]


def test_bad_items_of_a_batch_are_counted(server: Server) -> None:
    """In a batch the line also says which request is meant."""
    good, bad = {"features": GOOD}, {"features": {**GOOD, "hour": 99}}

    status, answer = post(server, "/predict_batch", {"requests": [good, good, bad]})

    assert status == 400
    assert answer["problems"] == ["requests.2.features.hour: should be less than or equal to 23"]


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1000, 200), (1001, 400), (2000, 400)])
def test_a_batch_has_a_limit(server: Server, count: int, status: int) -> None:
    """A thousand requests are answered at once; none, or more, are refused with the limit named."""
    answered, answer = post(server, "/predict_batch", {"requests": [{"features": GOOD}] * count})

    assert answered == status
    if status == 200:
        assert len({each["id"] for each in answer["answers"]}) == count
    else:
        assert answer["problems"][0].startswith("requests: list should have at ")


def test_a_huge_body_is_refused(server: Server) -> None:
    """A body over the limit is a 413, whatever is in it."""
    status, answer = post(server, "/predict", b" " * (5 * 2**20))

    assert status == 413
    assert "4 MiB" in answer["problems"][0]


FLOODS = {
    "unknown keys": lambda n: b'{"features":{%s"":1}}' % (b'"":1,' * (n // 5)),
    "empty objects": lambda n: b'{"requests":[%s{}]}' % (b"{}," * (n // 3)),
    "one key": lambda n: b'{"requests":[%s{"a":{}}]}' % (b'{"a":{}},' * (n // 9)),
    "lists in a list": lambda n: b'{"x":[%s[]]}' % (b"[]," * (n // 3)),
    "numbers": lambda n: b'{"requests":[%s1]}' % (b"1," * (n // 2)),
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the peak of a process")
@pytest.mark.parametrize("path", ["/predict", "/predict_batch"])
@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_values_takes_no_memory(server: Server, path: str, flood: str) -> None:
    """Many small values, which a parser would keep, are refused before anything is parsed."""
    before = peak_memory(server)

    status, answer = post(server, path, FLOODS[flood](4 * 2**20 - 100))

    assert status == 413
    assert "values; split it" in answer["problems"][0]
    assert peak_memory(server) - before < 40 * 2**20


def peak_memory(server: Server) -> int:
    """Return the most bytes that the processes of a service ever held."""
    leader = psutil.Process(server.pid)
    status = [
        Path(f"/proc/{it.pid}/status").read_text()
        for it in (leader, *leader.children(recursive=True))
    ]
    return sum(int(re.search(r"VmHWM:\s*(\d+) kB", text)[1]) * 1024 for text in status)


@pytest.mark.parametrize(
    "kind", ["application/vnd.bentoml+pickle", "text/plain", "multipart/form-data; boundary=x", ""]
)
def test_only_json_is_read(server: Server, kind: str) -> None:
    """Other content types, pickle above all, are refused without being read."""
    status, _ = post(server, "/predict", b"\x80\x04cos\nsystem\n(S'true'\ntR.", kind)

    assert status == 415


@pytest.mark.parametrize(
    ("path", "needle"),
    [
        ("/readyz", ""),
        ("/livez", ""),
        ("/metrics", "bentoml_service_request"),
        ("/docs.json", "PredictRequest"),
        ("/schema.json", "in °F"),
    ],
)
def test_stands_by_for_operators(server: Server, path: str, needle: str) -> None:
    """Health, metrics and a typed description are where operators expect them."""
    post(server, "/predict", {"features": GOOD})

    status, text, _ = ask(server, "GET", path)

    assert status == 200
    assert needle in (json.dumps(json.loads(text), ensure_ascii=False) if "{" in text[:1] else text)


def test_bad_input_leaves_no_traceback_in_the_output(server: Server) -> None:
    """A caller's mistake does not fill the service's log."""
    before = server.output

    post(server, "/predict", {"features": {}})

    assert "Traceback" not in server.output[len(before) :]


def test_two_builds_are_equal_bytes(release_files: dict[str, bytes], bento_zip: bytes) -> None:
    """The same release built again is the same zip, bit by bit."""
    assert build(release_files) == bento_zip


def test_the_bento_needs_nothing_of_this_repository(bento: Path) -> None:
    """The modules inside the Bento import one another and nothing else of ours."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import ml_gitops.serving.service\n"
        "print('\\n'.join(m.__file__ for n, m in sys.modules.items() if n.startswith('ml_gitops')))"
    )
    source = bento / "src"

    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(source)],
        capture_output=True,
        text=True,
        check=True,
    )

    used = {Path(line).relative_to(source / "ml_gitops").as_posix() for line in done.stdout.split()}
    assert used == set(SERVED_MODULES)


def test_the_bento_names_versions_and_no_place(bento: Path) -> None:
    """Requirements are pinned, and neither a registry nor this machine is named anywhere."""
    requirements = (bento / "env" / "python" / "requirements.txt").read_text().split()
    texts = [path.read_text(errors="replace") for path in bento.rglob("*") if path.is_file()]

    assert {line.split("==")[0] for line in requirements} == {
        "bentoml",
        "numpy",
        "onnxruntime",
        "pydantic",
    }
    assert all("==" in line for line in requirements)
    assert not any("index-url" in text or str(Path.home()) in text for text in texts)


def refused_zip(name: str, mode: int = 0o100644) -> bytes:
    """Return a zip with one entry of any name and mode."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, "x")
    return packed.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        refused_zip("../outside"),
        refused_zip("/absolute"),
        refused_zip("src/../../outside"),
        refused_zip("C:\\windows"),
        refused_zip("link", mode=0o120777),
        b"not a zip",
    ],
    ids=["up", "absolute", "up inside", "drive", "symlink", "no zip"],
)
def test_unpacking_stays_inside(tmp_path: Path, content: bytes) -> None:
    """A zip that would write elsewhere, or link there, is refused and writes nothing."""
    with pytest.raises(ServiceError):
        unpack(content, tmp_path / "in" / "bento")

    assert list(tmp_path.rglob("*")) in ([], [tmp_path / "in"])


def test_unpacking_again_replaces(bento_zip: bytes, tmp_path: Path) -> None:
    """A directory that is there already is replaced, and nothing is left beside it."""
    target = tmp_path / "bento"
    target.mkdir()
    (target / "old").write_text("")

    unpack(bento_zip, target)

    assert not (target / "old").exists()
    assert (target / "src" / "model.onnx").exists()
    assert list(tmp_path.iterdir()) == [target]


def test_a_damaged_model_does_not_build(release_files: dict[str, bytes]) -> None:
    """A model that is not the released one stops the build with one line that says so."""
    other = {**release_files, "model.onnx": release_files["model.onnx"] + b"\0"}

    with pytest.raises(ServiceError, match=r"digest is not that of delay@v1\.0\.0"):
        build(other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model.onnx": None}, "needs model.onnx"),
        ({ServedRelease.file_name: b'{"tag": "delay; rm", "digest": ""}'}, "names no release"),
    ],
)
def test_incomplete_releases_do_not_build(
    release_files: dict[str, bytes], change: dict, message: str
) -> None:
    """A release without a file, or with a tag of another grammar, is refused before a build."""
    files = {name: data for name, data in {**release_files, **change}.items() if data is not None}

    with pytest.raises(ServiceError, match=message):
        build(files)


def test_a_taken_port_is_named(bento: Path) -> None:
    """A port somebody else listens on is refused with its number, before anything starts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ServiceError, match=f"port {port}.*another port"):
            serve(bento, port=port, log_dir=None)


def test_a_log_that_cannot_be_written_is_named(bento: Path, tmp_path: Path) -> None:
    """Where no log can be written the service does not start."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ServiceError, match="prediction log cannot be written"):
        serve(bento, port=0, log_dir=tmp_path / "file")


def test_a_crash_at_start_is_one_line(bento_zip: bytes, tmp_path: Path) -> None:
    """A service that ends at its start is reported at once, with the line that says why."""
    unpack(bento_zip, tmp_path / "bento")
    (tmp_path / "bento" / "src" / ServedRelease.file_name).write_text(
        '{"tag": "t@v1", "digest": "x"}'
    )
    started = time.monotonic()

    with pytest.raises(ServiceError, match=r"does not start: .*digest is not that of t@v1"):
        serve(tmp_path / "bento", port=0, log_dir=None)

    assert time.monotonic() - started < 30


@pytest.mark.parametrize("how", ["in order", "killed"])
def test_stopping_leaves_no_process_and_loses_no_record(
    bento: Path, tmp_path: Path, how: str
) -> None:
    """Stopping ends every process of the service; in order, nothing of the log is lost."""
    log_dir = tmp_path / "log"
    server = serve(bento, port=0, log_dir=log_dir)
    family = psutil.Process(server.pid).children(recursive=True)
    post(server, "/predict_batch", {"requests": [{"features": GOOD}] * 1000})

    if how == "killed":
        os.kill(server.pid, signal.SIGKILL)
    server.stop()
    server.stop()

    assert family
    assert not any(process.is_running() for process in family)
    if how == "in order":
        lines = next(log_dir.glob("*.jsonl")).read_text().splitlines()
        assert len({json.loads(line)["id"] for line in lines}) == 1000


def test_who_alone_ignores_the_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service without children that does not end when it is asked to is killed."""
    monkeypatch.setattr("ml_gitops.adapters.server.STOP_SECONDS", 0.1)
    home = tempfile.TemporaryDirectory(dir=tmp_path)
    deaf = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(30)"
    )
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()

        Server(process, home, "http://127.0.0.1", {}).stop()

        assert process.returncode == -signal.SIGKILL


def test_not_ready_while_the_log_cannot_be_written(bento: Path, tmp_path: Path) -> None:
    """Without its folder the service answers, asks for no traffic, and catches up with the log."""
    log_dir = tmp_path / "log"

    def becomes(status: int) -> bool:
        deadline = time.monotonic() + 10
        while ask(server, "GET", "/readyz")[0] != status and time.monotonic() < deadline:
            time.sleep(0.05)
        return ask(server, "GET", "/readyz")[0] == status

    with serve(bento, port=0, log_dir=log_dir) as server:
        shutil.rmtree(log_dir)
        answered, _ = post(server, "/predict", {"features": GOOD, "id": "meanwhile"})
        assert answered == 200
        assert becomes(503)
        log_dir.mkdir()
        assert becomes(200)

    assert list(logged(log_dir, {"meanwhile"})) == ["meanwhile"]


def test_a_service_that_is_told_to_end_answers_first(bento: Path, tmp_path: Path) -> None:
    """What is under way when the end is asked for is answered and logged; then nobody is left."""
    log_dir = tmp_path / "log"
    server = serve(bento, port=0, log_dir=log_dir)
    with socket.create_connection(address(server), timeout=20) as caller:
        caller.sendall(HALF_A_REQUEST)
        time.sleep(0.2)

        os.kill(server.pid, signal.SIGTERM)
        time.sleep(0.5)
        caller.sendall(BODY[20:])
        answer = caller.makefile("rb").read()
    ended = server.wait(lambda _line: None)
    server.stop()

    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert ended == 0
    found = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert logged(log_dir, {found["id"]})[found["id"]]["score"] == found["score"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_ending_the_program_ends_its_service(bento: Path, ending: signal.Signals) -> None:
    """A program that is told to end, by a person or a supervisor, takes its service along."""
    script = (
        "import sys; from pathlib import Path\n"
        "from ml_gitops.adapters.server import serve\n"
        "with serve(Path(sys.argv[1]), port=0, log_dir=None) as server:\n"
        "    print('ready', flush=True)\n"
        "    server.wait(lambda line: None)\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", script, str(bento)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    assert program.stdout.readline() == b"ready\n"
    family = psutil.Process(program.pid).children(recursive=True)

    program.send_signal(ending)
    program.communicate(timeout=30)

    assert len(family) >= 2
    assert not any(process.is_running() for process in family)


def test_following_hands_over_every_line_until_the_end(bento: Path) -> None:
    """`wait` passes on what the service prints and returns when it ends."""
    lines: list[str] = []
    with serve(bento, port=0, log_dir=None) as server:
        psutil.Process(server.pid).terminate()

        server.wait(lines.append)

    assert any("listening on http://127.0.0.1" in line for line in lines)
