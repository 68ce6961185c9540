"""The prediction log keeps whole lines, whatever happens to the process or the disk."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_gitops.serving import prediction_log
from ml_gitops.serving.prediction_log import PredictionLog, utc_text

WRITER = """
import sys
from pathlib import Path
from ml_gitops.serving.prediction_log import PredictionLog

log = PredictionLog(Path(sys.argv[1]))
number = 0
while True:
    log.append([{"id": str(number + i), "text": "x" * 3000} for i in range(50)])
    number += 50
"""


def records(directory: Path) -> list[dict]:
    """Return every record on disk; half a line, or one that is no JSON, is an error."""
    lines = b"".join(path.read_bytes() for path in sorted(directory.iterdir()))
    assert lines == b"" or lines.endswith(b"\n")
    return [json.loads(line) for line in lines.splitlines()]


def test_writes_at_once_and_in_order(tmp_path: Path) -> None:
    """A record is on disk within a second, without closing the log."""
    log = PredictionLog(tmp_path)

    log.append([{"id": str(number), "score": 0.5, "label": None} for number in range(3)])
    deadline = time.monotonic() + 1.0
    while len(records(tmp_path)) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)

    assert [record["id"] for record in records(tmp_path)] == ["0", "1", "2"]
    log.close()


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    """Records of many threads all arrive, each on a line of its own."""
    log = PredictionLog(tmp_path)
    threads = [
        threading.Thread(
            target=lambda part=part: [log.append([{"id": f"{part}-{i}"}]) for i in range(500)]
        )
        for part in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()

    assert len({record["id"] for record in records(tmp_path)}) == 4000
    assert log.dropped == 0


def test_the_file_carries_the_day_of_writing(tmp_path: Path) -> None:
    """Each UTC day has a file of its own."""
    log = PredictionLog(tmp_path)

    log.append([{"id": "a"}])
    log.close()

    assert [path.name for path in tmp_path.iterdir()] == [
        f"predictions-{datetime.now(UTC):%Y-%m-%d}.jsonl"
    ]


@pytest.mark.parametrize("attempt", range(3))
def test_kill_leaves_whole_lines(tmp_path: Path, attempt: int) -> None:
    """After kill -9 in the middle of writing the next writer finds, or makes, whole lines."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)])
    while sum(path.stat().st_size for path in tmp_path.iterdir()) < 2_000_000:
        assert writer.poll() is None
        time.sleep(0.01)
    writer.send_signal(signal.SIGKILL)
    writer.wait()

    log = PredictionLog(tmp_path)
    log.append([{"id": "after"}])
    log.close()

    found = [record["id"] for record in records(tmp_path)]
    assert found[:-1] == [str(number) for number in range(len(found) - 1)]
    assert found[-1] == "after"


def test_half_a_line_is_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Half a line that a killed process left is cut off, and that is said."""
    file = tmp_path / f"predictions-{datetime.now(UTC):%Y-%m-%d}.jsonl"
    file.write_bytes(b'{"id":"whole"}\n{"id":"ha' + b"x" * 10_000)

    log = PredictionLog(tmp_path)
    log.append([{"id": "next"}])
    log.close()

    assert [record["id"] for record in records(tmp_path)] == ["whole", "next"]
    assert "cut off half a line" in caplog.text


def test_a_full_disk_is_said_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk requests go on; the loss is counted and said as an error."""
    monkeypatch.setattr(PredictionLog, "_path", lambda _: Path("/dev/full"))
    log = PredictionLog(tmp_path, capacity=10)

    with caplog.at_level(logging.ERROR):
        for number in range(15):
            log.append([{"id": str(number)}])
        log.close()

    assert log.dropped == 15
    assert "No space left on device" in caplog.text
    assert "records dropped so far" in caplog.text


def test_writes_again_when_the_disk_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that met a full disk are written once there is room, none twice."""
    monkeypatch.setattr(prediction_log, "RETRY_SECONDS", 0.01)
    path = {"now": Path("/dev/full")}
    monkeypatch.setattr(PredictionLog, "_path", lambda _: path["now"])
    log = PredictionLog(tmp_path)

    log.append([{"id": "a"}])
    time.sleep(0.05)
    path["now"] = tmp_path / "room.jsonl"
    log.append([{"id": "b"}])
    log.close()

    assert [record["id"] for record in records(tmp_path)] == ["a", "b"]
    assert log.dropped == 0


def test_a_log_that_cannot_be_written_says_so_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its folder the log is not writable and keeps what waits; with it, it is whole."""
    monkeypatch.setattr(prediction_log, "RETRY_SECONDS", 0.01)
    folder = tmp_path / "log"
    log = PredictionLog(folder)

    def becomes(*, writable: bool) -> bool:
        deadline = time.monotonic() + 5
        while log.writable != writable and time.monotonic() < deadline:
            time.sleep(0.005)
        return log.writable == writable

    assert log.writable
    shutil.rmtree(folder)
    log.append([{"id": "meanwhile"}])
    assert becomes(writable=False)
    folder.mkdir()
    assert becomes(writable=True)
    log.close()

    assert [record["id"] for record in records(folder)] == ["meanwhile"]


def test_files_are_closed_to_others(tmp_path: Path) -> None:
    """What people sent is readable by owner and group, even where the umask forbids nothing."""
    before = os.umask(0)
    try:
        PredictionLog(tmp_path / "log").close()
    finally:
        os.umask(before)

    (file,) = (tmp_path / "log").iterdir()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o750
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_write_that_fails_halfway_leaves_nothing(tmp_path: Path) -> None:
    """Where a file may not grow further, what was written of the last batch is taken back."""
    script = f"""
import resource, signal, sys
from pathlib import Path
from ml_gitops.serving.prediction_log import PredictionLog
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
log = PredictionLog(Path({str(tmp_path)!r}))
log.append([{{"id": "fits"}}])
import time; time.sleep(0.2)
log.append([{{"id": "x" * 2000}}])
log.close()
sys.exit(log.dropped)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)

    assert done.returncode == 1
    assert b"File too large" in done.stderr
    assert [record["id"] for record in records(tmp_path)] == ["fits"]


def test_half_a_line_that_cannot_be_taken_back_is_said_and_cut_off_later(tmp_path: Path) -> None:
    """Where the disk refuses that too, it is told, and nothing is written behind half a line."""
    script = f"""
import os, resource, signal, sys, time
from pathlib import Path
from ml_gitops.serving import prediction_log
truncate, refused = os.ftruncate, []
def ftruncate(descriptor, size):
    if not refused:
        refused.append(size)
        raise OSError(5, "Input/output error")
    truncate(descriptor, size)
os.ftruncate = ftruncate
prediction_log.RETRY_SECONDS = 0.01
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
log = prediction_log.PredictionLog(Path({str(tmp_path)!r}))
log.append([{{"id": "fits"}}])
log.append([{{"id": "x" * 2000}}])
while not refused:
    time.sleep(0.01)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.close()
sys.exit(log.dropped)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert b"cannot cut off half a line, trying again: [Errno 5]" in done.stderr
    assert [len(record["id"]) for record in records(tmp_path)] == [4, 2000]


def test_nan_never_reaches_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A record that is no JSON is dropped aloud, and those after it are written."""
    log = PredictionLog(tmp_path)

    log.append([{"id": "bad", "score": float("nan")}, {"id": "good"}])
    log.close()

    assert [record["id"] for record in records(tmp_path)] == ["good"]
    assert log.dropped == 1
    assert "no JSON" in caplog.text


def test_closing_twice_is_harmless_and_late_records_are_counted(tmp_path: Path) -> None:
    """What comes after closing is not written, and counted."""
    log = PredictionLog(tmp_path)

    log.close()
    log.close()
    log.append([{"id": "late"}])

    assert log.dropped == 1


def test_a_directory_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    """The service learns at its start, not at the first request, that it cannot log."""
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        PredictionLog(tmp_path / "file" / "log")


def test_leaving_the_process_writes_what_waits(tmp_path: Path) -> None:
    """A process that ends in order loses nothing, even without closing the log."""
    script = (
        "import sys; from pathlib import Path\n"
        "from ml_gitops.serving.prediction_log import PredictionLog\n"
        "log = PredictionLog(Path(sys.argv[1]))\n"
        "log.append([{'id': str(i)} for i in range(2500)])\n"
    )

    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, env=os.environ)

    assert len(records(tmp_path)) == 2500


def test_times_are_utc_and_sort_as_text() -> None:
    """Times are RFC 3339 in UTC with a fixed number of digits."""
    moment = datetime.fromisoformat("2013-04-02T01:15:00-04:00")

    assert utc_text(moment) == "2013-04-02T05:15:00.000000Z"
