"""The files of releases."""

import hashlib
import re

from tests.github.answers import Answer, Refusal, created, invalid, no_content, not_found, page
from tests.github.releases import Asset, Release, asset_document, find
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, World

_OF_RELEASE = "/repos/{owner}/{repo}/releases/{release_id}/assets"
_ONE = "/repos/{owner}/{repo}/releases/assets/{asset_id}"
_ODD = re.compile(r"[^A-Za-z0-9_@+-]+")


def _find(request: Request) -> tuple[Release, Asset]:
    number = request.number("asset_id")
    for release in request.repository.releases:
        for asset in release.assets:
            if asset.id == number:
                return release, asset
    raise not_found()


def plain(name: str) -> str:
    """Return a name as GitHub keeps it: odd characters become full stops."""
    return _ODD.sub(".", name).strip(".") or "default"


@route("GET", _OF_RELEASE, "contents:read")
def assets(request: Request) -> Answer:
    """List the files of a release."""
    release = find(request)
    return page(asset_document(request, release, it) for it in release.assets)


@route("POST", _OF_RELEASE, "contents:write", "write")
def upload(request: Request) -> Answer:
    """Take a file; its name is unique in the release, and it has at least one byte."""
    if not request.uploads:
        raise not_found()
    release, name = find(request), plain(request.query.get("name", ""))
    if not request.query.get("name"):
        raise Refusal(400, "Multipart form data required")
    if any(it.name == name for it in release.assets):
        raise invalid("ReleaseAsset", "name", "already_exists")
    if not request.body:
        problem = "size must be greater than or equal to 1"
        raise invalid("ReleaseAsset", "size", "custom", problem)
    digest = "sha256:" + hashlib.sha256(request.body).hexdigest()
    media = request.headers.get("content-type", "application/octet-stream")
    number, now = request.world.next_id(), request.world.now()
    asset = Asset(number, name, media, request.body, digest, request.me, now)
    asset.label = request.query.get("label")
    release.assets.append(asset)
    document = asset_document(request, release, asset)
    return created(document, document["url"])


@route("GET", _ONE, "contents:read")
def one(request: Request) -> Answer | Document:
    """Give an asset, or lead to its bytes."""
    release, asset = _find(request)
    if request.accept != "octet-stream":
        return asset_document(request, release, asset)
    asset.downloads += 1
    return Answer(302, headers={"Location": kept(request.world, asset)})


@route("PATCH", _ONE, "contents:write", "write")
def update(request: Request) -> Document:
    """Rename a file."""
    release, asset = _find(request)
    name = plain(request.json.get("name") or asset.name)
    if any(it.name == name and it is not asset for it in release.assets):
        raise invalid("ReleaseAsset", "name", "already_exists")
    asset.name, asset.label = name, request.json.get("label", asset.label)
    return asset_document(request, release, asset)


@route("DELETE", _ONE, "contents:write", "write")
def delete(request: Request) -> Answer:
    """Delete a file."""
    release, asset = _find(request)
    release.assets.remove(asset)
    return no_content()


def download(world: World, path: str) -> str | None:
    """Return where the page of an asset leads to; None if nothing public is there."""
    owner, _, rest = path.strip("/").partition("/")
    name, _, rest = rest.partition("/releases/download/")
    tag, _, file = rest.rpartition("/")
    repository = world.repository(owner, name)
    if repository is None or repository.private:
        return None
    for it in repository.releases:
        for asset in it.assets if it.tag == tag and not it.draft else []:
            if asset.name == file:
                asset.downloads += 1
                return kept(world, asset)
    return None


def kept(world: World, asset: Asset) -> str:
    """Return where the bytes of an asset are."""
    return world.storage.address("assets", asset.id, asset.content, asset.media, asset.name)
