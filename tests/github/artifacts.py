"""Artifacts of workflow runs: archives that tests put there, as jobs do."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.github import documents
from tests.github.actions import Run
from tests.github.actions import find as find_run
from tests.github.answers import Answer, Page, Refusal, no_content, not_found, page
from tests.github.documents import url_of
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Repository, World, stamp

_ALL = "/repos/{owner}/{repo}/actions/artifacts"
_ONE = _ALL + "/{artifact_id}"
KEPT = timedelta(days=90)


@dataclass
class Artifact:
    """An archive that a run left."""

    id: int
    name: str
    run: Run
    archive: bytes
    created: datetime


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return files as an archive, as the action that uploads them would."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def put(world: World, repository: Repository, run: Run, name: str, archive: bytes) -> Artifact:
    """Keep an archive; a run has one artifact of a name."""
    assert not any(it.name == name and it.run is run for it in repository.artifacts), name
    artifact = Artifact(world.next_id(), name, run, archive, world.now())
    repository.artifacts.append(artifact)
    return artifact


def _document(request: Request, artifact: Artifact) -> Document:
    url = f"{url_of(request.world, request.repository)}/actions/artifacts/{artifact.id}"
    ends = artifact.created + KEPT
    return {
        "id": artifact.id,
        "node_id": documents.node("MDg", artifact.id),
        "name": artifact.name,
        "size_in_bytes": len(artifact.archive),
        "url": url,
        "archive_download_url": url + "/zip",
        "expired": ends <= request.world.now(),
        "digest": "sha256:" + hashlib.sha256(artifact.archive).hexdigest(),
        "created_at": stamp(artifact.created),
        "updated_at": stamp(artifact.created),
        "expires_at": stamp(ends),
        "workflow_run": {
            "id": artifact.run.id,
            "repository_id": request.repository.id,
            "head_repository_id": artifact.run.source.id,
            "head_branch": artifact.run.branch,
            "head_sha": artifact.run.sha,
        },
    }


def _listed(request: Request, run: Run | None = None) -> Page:
    found = [
        it
        for it in reversed(request.repository.artifacts)
        if run in (None, it.run) and request.query.get("name", it.name) == it.name
    ]
    return page((_document(request, it) for it in found), "artifacts")


@route("GET", _ALL, "actions:read")
def artifacts(request: Request) -> Page:
    """List the artifacts of a repository, the newest first."""
    return _listed(request)


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts", "actions:read")
def of_run(request: Request) -> Page:
    """List the artifacts of a run, the newest first."""
    return _listed(request, find_run(request))


def _find(request: Request) -> Artifact:
    number = request.number("artifact_id")
    for it in request.repository.artifacts:
        if it.id == number:
            return it  # type: ignore[no-any-return]
    raise not_found()


@route("GET", _ONE, "actions:read")
def one(request: Request) -> Document:
    """Give an artifact."""
    return _document(request, _find(request))


@route("GET", _ONE + "/{archive_format}", "actions:read")
def download(request: Request) -> Answer:
    """Lead to the archive; even of a public repository nobody gets it without a token."""
    if request.token.account is None:
        raise Refusal(401, "Requires authentication")
    artifact = _find(request)
    if request.params["archive_format"] != "zip":
        raise not_found()
    if artifact.created + KEPT <= request.world.now():
        raise Refusal(410, "Artifact has expired")
    storage, name = request.world.storage, f"{artifact.name}.zip"
    address = storage.address("artifacts", artifact.id, artifact.archive, "zip", name)
    return Answer(302, headers={"Location": address})


@route("DELETE", _ONE, "actions:write", "write")
def delete(request: Request) -> Answer:
    """Delete an artifact."""
    request.repository.artifacts.remove(_find(request))
    return no_content()
