"""Releases."""

from dataclasses import dataclass, field
from datetime import datetime

from tests.github import documents, pushes
from tests.github.accounts import Account
from tests.github.answers import Answer, Refusal, created, invalid, no_content, not_found, page
from tests.github.commits import peel, read_commit
from tests.github.documents import page_of, url_of, user
from tests.github.git import TAGS
from tests.github.history import resolve
from tests.github.issues import reactions
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Repository, stamp

_ALL = "/repos/{owner}/{repo}/releases"
_ONE = _ALL + "/{release_id}"
LONGEST_NOTES = 125_000


@dataclass
class Asset:
    """A file of a release."""

    id: int
    name: str
    media: str
    content: bytes
    digest: str
    author: Account
    created: datetime
    label: str | None = None
    state: str = "uploaded"
    downloads: int = 0


@dataclass
class Release:
    """A release; only drafts have no tag."""

    id: int
    tag: str
    target: str
    title: str | None
    notes: str | None
    author: Account
    created: datetime
    published: datetime | None
    draft: bool
    prerelease: bool
    assets: list[Asset] = field(default_factory=list)


def asset_document(request: Request, release: Release, asset: Asset) -> Document:
    """Return an asset."""
    world, repository = request.world, request.repository
    web = f"{page_of(world, repository)}/releases/download/{release.tag}/{asset.name}"
    return {
        "url": f"{url_of(world, repository)}/releases/assets/{asset.id}",
        "id": asset.id,
        "node_id": documents.node("RA", asset.id),
        "name": asset.name,
        "label": asset.label,
        "uploader": user(world, asset.author),
        "content_type": asset.media,
        "state": asset.state,
        "size": len(asset.content),
        "digest": asset.digest,
        "download_count": asset.downloads,
        "created_at": stamp(asset.created),
        "updated_at": stamp(asset.created),
        "browser_download_url": web,
    }


def release_document(request: Request, release: Release) -> Document:
    """Return a release."""
    world, repository = request.world, request.repository
    url, web = f"{url_of(world, repository)}/releases/{release.id}", page_of(world, repository)
    upload = url.replace("/api/v3/", "/api/uploads/")
    archive = f"{url_of(world, repository)}/{{}}/{release.tag}"
    return {
        "url": url,
        "assets_url": url + "/assets",
        "upload_url": upload + "/assets{?name,label}",
        "html_url": f"{web}/releases/tag/{release.tag}",
        "id": release.id,
        "author": user(world, release.author),
        "node_id": documents.node("RE", release.id),
        "tag_name": release.tag,
        "target_commitish": release.target,
        "name": release.title,
        "draft": release.draft,
        "immutable": False,
        "prerelease": release.prerelease,
        "created_at": stamp(_dated(repository, release)),
        "updated_at": stamp(release.created),
        "published_at": stamp(release.published),
        "assets": [asset_document(request, release, it) for it in release.assets],
        "tarball_url": None if release.draft else archive.format("tarball"),
        "zipball_url": None if release.draft else archive.format("zipball"),
        "body": release.notes,
        "reactions": reactions(url),
    }


def _dated(repository: Repository, release: Release) -> datetime:
    """Return when the commit of a release was made: that is what GitHub calls `created_at`."""
    sha = repository.refs.get(TAGS + release.tag)
    commit = read_commit(repository.git, peel(repository.git, sha) or "") if sha else None
    return commit.committer.date if commit else release.created


def find(request: Request) -> Release:
    """Return the release that the path names."""
    return chosen(request, [it for it in _shown(request) if it.id == request.number("release_id")])


def chosen(request: Request, found: list[Release]) -> Release:
    """Return the first of some releases."""
    if not found:
        raise not_found()
    return found[0]


def _shown(request: Request) -> list[Release]:
    """Return the releases that who asks may see, the newest first; drafts are for writers."""
    repository, token = request.repository, request.token
    writer = (
        token.allows("contents", "write") if token.app else repository.may(token.account, "write")
    )
    return [it for it in reversed(repository.releases) if writer or not it.draft]


@route("GET", _ALL, "contents:read")
def releases(request: Request) -> Answer:
    """List releases, the newest first."""
    return page(release_document(request, it) for it in _shown(request))


@route("GET", _ALL + "/latest", "contents:read")
def latest(request: Request) -> Document:
    """Give the newest release that is neither a draft nor a pre-release."""
    return release_document(
        request, chosen(request, [it for it in _shown(request) if not (it.draft or it.prerelease)])
    )


@route("GET", _ALL + "/tags/{tag}", "contents:read")
def by_tag(request: Request) -> Document:
    """Give the published release of a tag."""
    tag = request.params["tag"]
    found = [it for it in _shown(request) if it.tag == tag and not it.draft]
    return release_document(request, chosen(request, found))


@route("GET", _ONE, "contents:read")
def release(request: Request) -> Document:
    """Give a release."""
    return release_document(request, find(request))


@route("POST", _ALL, "contents:write", "write")
def create(request: Request) -> Answer:
    """Make a release; its tag is made with it, if there is none."""
    repository, body = request.repository, request.json
    tag, draft = request.text("tag_name", "Release", 255), bool(body.get("draft"))
    target = body.get("target_commitish") or repository.default_branch
    _checked(request, tag, body, None, draft=draft)
    if not draft:
        _tag(request, tag, target)
    now = request.world.now()
    new = Release(
        request.world.next_id(),
        tag,
        target,
        body.get("name"),
        body.get("body"),
        request.me,
        now,
        None if draft else now,
        draft,
        bool(body.get("prerelease")),
    )
    repository.releases.append(new)
    document = release_document(request, new)
    return created(document, document["url"])


def _checked(
    request: Request, tag: str, body: Document, mine: Release | None, *, draft: bool
) -> None:
    """Refuse what GitHub would not publish."""
    if not request.repository.git.succeeds("check-ref-format", TAGS + tag):
        raise invalid("Release", "tag_name", "custom", "tag_name is not a valid tag")
    if len(body.get("body") or "") > LONGEST_NOTES:
        problem = f"body is too long (maximum is {LONGEST_NOTES} characters)"
        raise invalid("Release", "body", "custom", problem)
    others = (it for it in request.repository.releases if it is not mine and not it.draft)
    if not draft and any(it.tag == tag for it in others):
        raise invalid("Release", "tag_name", "already_exists")


def _tag(request: Request, tag: str, target: str) -> None:
    """Make the light tag of a release, where there is no tag."""
    repository = request.repository
    if TAGS + tag in repository.refs:
        return
    sha = resolve(repository, target)
    if not repository.refs:
        raise Refusal(
            422,
            "Validation Failed",
            [{"message": "Repository is empty.", "resource": "Release", "code": "custom"}],
        )
    if sha is None:
        raise invalid("Release", "target_commitish")
    pushes.move(request.world, repository, TAGS + tag, sha, request.me)


@route("PATCH", _ONE, "contents:write", "write")
def update(request: Request) -> Document:
    """Change a release; a draft that is one no longer gets its tag."""
    it, body = find(request), request.json
    tag, draft = body.get("tag_name") or it.tag, bool(body.get("draft", it.draft))
    _checked(request, tag, body, it, draft=draft)
    it.target = body.get("target_commitish") or it.target
    if it.draft and not draft:
        _tag(request, tag, it.target)
        it.published = request.world.now()
    it.tag, it.draft = tag, draft
    it.title, it.notes = body.get("name", it.title), body.get("body", it.notes)
    it.prerelease = bool(body.get("prerelease", it.prerelease))
    return release_document(request, it)


@route("DELETE", _ONE, "contents:write", "write")
def delete(request: Request) -> Answer:
    """Delete a release; its tag stays."""
    request.repository.releases.remove(find(request))
    return no_content()
