"""Bentos: built in a directory of their own, packed so that equal means equal bytes, served."""

import importlib.metadata
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import ml_gitops
from ml_gitops.adapters.archive import OddArchiveError, extract
from ml_gitops.errors import ServiceError
from ml_gitops.names import MODEL_FILE, SERVED_FILE, SIGNATURE_FILE

SERVED_MODULES = (
    "__init__.py",
    "data/__init__.py",
    "data/schema.py",
    "document.py",
    "errors.py",
    "names.py",
    "serving/__init__.py",
    "serving/prediction_log.py",
    "serving/predictor.py",
    "serving/requests.py",
    "serving/runtime.py",
    "serving/service.py",
    "serving/signature.py",
)
"""The part of this package that travels inside every Bento; it imports nothing else of ours."""

SERVED_LIBRARIES = ("numpy", "onnxruntime", "pydantic")
"""Pinned to the versions at hand; BentoML pins itself."""
MODEL_FILES = {MODEL_FILE, SIGNATURE_FILE, SERVED_FILE}

ENTRY = '''"""The release in this directory, as a BentoML service."""

from pathlib import Path

import bentoml

from ml_gitops.serving.service import SETTINGS, service_class

Service = bentoml.service(name={name!r}, **SETTINGS)(service_class(Path(__file__).parent))
'''

TAG = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)@v(?P<version>[0-9][A-Za-z0-9._+-]*)$")
CREATED = re.compile(rb"^creation_time: .*$", re.MULTILINE)
ERROR_LINE = re.compile(r"^(?:Error: |[\w.]*(?:Error|Exception|Refused)\b)")
FIXED_DATE = (1980, 1, 1, 0, 0, 0)


def build(files: Mapping[str, bytes], *, timeout: float = 300.0) -> bytes:
    """Build the Bento of a release.

    Args:
        files: `model.onnx`, `signature.json` and `served.json`; the last has
            the release's `tag` and the model's `digest`.
        timeout: seconds that BentoML may take.

    Returns:
        A zip of the Bento; the same release gives the same bytes.

    Raises:
        ServiceError: a file is missing, or BentoML refuses.
    """
    name, version = _name_and_version(files)
    with tempfile.TemporaryDirectory(prefix="ml-gitops-bento-") as directory:
        stage, home = Path(directory) / "stage", Path(directory) / "home"
        _stage(stage, files, name)
        _run_build(stage, home, version, timeout)
        return _pack(home / "bentos" / name / version)


def _name_and_version(files: Mapping[str, bytes]) -> tuple[str, str]:
    if missing := sorted(MODEL_FILES - files.keys()):
        raise ServiceError(
            f"a Bento needs {', '.join(missing)}", hint="train the model, then build its release"
        )
    tag = json.loads(files[SERVED_FILE]).get("tag", "")
    found = TAG.match(tag)
    if found is None:
        raise ServiceError(
            f"the tag {tag!r} names no release",
            hint="use the form name@v1.2.3",
            where=SERVED_FILE,
        )
    return found["name"], found["version"].replace("+", "-")


def _stage(stage: Path, files: Mapping[str, bytes], name: str) -> None:
    """Write everything the Bento shall contain, and nothing else."""
    package = Path(ml_gitops.__file__).parent
    contents = {f"ml_gitops/{module}": (package / module).read_bytes() for module in SERVED_MODULES}
    contents |= {path: files[path] for path in MODEL_FILES}
    contents["service.py"] = ENTRY.format(name=name).encode()
    contents["bentofile.yaml"] = json.dumps(_bentofile(name, sorted(contents))).encode()
    for path, content in contents.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / path).write_bytes(content)


def _bentofile(name: str, include: list[str]) -> dict[str, object]:
    """Return the build file; JSON is YAML, and quotes nothing wrongly."""
    pins = [f"{library}=={importlib.metadata.version(library)}" for library in SERVED_LIBRARIES]
    return {
        "service": "service:Service",
        "name": name,
        "description": f"Predictions of {name}, over HTTP.\n",
        "include": include,
        "python": {"packages": pins, "lock_packages": False},
    }


def _run_build(stage: Path, home: Path, version: str, timeout: float) -> None:
    command = [sys.executable, "-P", "-m", "bentoml", "build", "--version", version, "."]
    try:
        done = subprocess.run(
            command,
            cwd=stage,
            env=private_environment(home),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ServiceError(
            f"BentoML took more than {timeout:.0f} s to build",
            hint="run it again on a quieter machine",
        ) from None
    if done.returncode != 0:
        raise ServiceError(
            f"BentoML cannot build the service: {last_useful_line(done.stdout + done.stderr)}",
            hint="install ml-gitops[serve], and look whether the model loads",
        )


def _pack(bento: Path) -> bytes:
    """Return a zip in which neither dates nor the order of files tell two builds apart."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in bento.rglob("*") if path.is_file()):
            content = path.read_bytes()
            if path.name == "bento.yaml":
                content = CREATED.sub(b"creation_time: '1980-01-01T00:00:00+00:00'", content)
            entry = zipfile.ZipInfo(path.relative_to(bento).as_posix(), FIXED_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: the mode below counts
            entry.external_attr = (0o100755 if os.access(path, os.X_OK) else 0o100644) << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def unpack(content: bytes, into: Path) -> None:
    """Unpack a Bento into a directory that appears whole or not at all.

    Args:
        content: what `build` returned.
        into: the directory to make; a Bento that is there already is replaced.

    Raises:
        ServiceError: it is no zip, is too large, or would write elsewhere.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".bento-") as directory:
        fresh = Path(directory) / "bento"
        try:
            extract(content, fresh)
        except OddArchiveError as odd:
            raise ServiceError(
                f"this is not a Bento of ours: {odd}",
                hint="build it again from the release's own files",
            ) from None
        if into.exists():
            into.rename(Path(directory) / "old")
        shutil.move(fresh, into)


def private_environment(home: Path) -> dict[str, str]:
    """Return our environment with a BentoML that keeps to itself and tells nobody.

    Args:
        home: a directory of its own for everything BentoML writes.
    """
    return {
        **os.environ,
        "BENTOML_HOME": str(home),
        "BENTOML_DO_NOT_TRACK": "True",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }


def last_useful_line(output: str) -> str:
    """Return the line that says what went wrong in a program's output."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if ERROR_LINE.search(line)]
    return (errors or lines or ["it said nothing"])[-1][:300]
