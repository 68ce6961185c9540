"""What a repository on GitHub keeps under names: tags, and releases with assets."""

import re
from collections.abc import Mapping
from datetime import UTC

from ml_gitops.adapters.github import questions, reading
from ml_gitops.adapters.github.answers import Lost, Refused
from ml_gitops.adapters.github.client import Document
from ml_gitops.adapters.github.git_data import GitData
from ml_gitops.adapters.github.refs import SOUND_NAME
from ml_gitops.adapters.github.threads import Threads
from ml_gitops.document import sha256
from ml_gitops.errors import ForgeError, TryAgain
from ml_gitops.ports import Clock, ForgeRelease, Tag

_ASSET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_SMALL = 1 << 20
"""Bytes of an asset that are remembered."""
_LARGEST = 2 << 30
"""Bytes of the largest asset that GitHub takes."""


class Shelf(Threads):
    """Tags and releases of a repository on GitHub."""

    _git: GitData
    _clock: Clock
    _small_assets: dict[int, bytes]

    def tags(self) -> list[Tag]:
        """Return every annotated tag, oldest first; tags of one second by their versions."""
        nodes = self._survey.nodes("refs", questions.REFS_PAGE)
        found = [tag for tag in map(reading.tag, nodes) if tag is not None]
        return sorted(found, key=lambda tag: (tag.created, _natural(tag.name)))

    def create_tag(self, name: str, commit: str, message: str) -> Tag:
        """Create an annotated tag; an existing one is never moved (`ForgeError`)."""
        if not SOUND_NAME.fullmatch(name):
            raise self._refusal(
                f"{name!r} is no name of a tag",
                hint="name it with letters, digits, `-`, `_`, `.` and `/`",
            )
        me = self._survey.people
        made = self._clock().astimezone(UTC).replace(microsecond=0)
        tagger = {
            "name": me.login,
            "email": f"{me.id}+{me.login}@users.noreply.github.com",
            "date": made.isoformat().replace("+00:00", "Z"),
        }
        ask = {"tag": name, "message": message, "object": commit, "type": "commit"}
        # Nobody sees a tag object before a ref names it; one that is left over is no harm.
        done = self._client.write("POST", "/git/tags", {**ask, "tagger": tagger}, repeatable=True)
        if not self._git.create(f"tags/{name}", str(done["sha"])):
            raise self._refusal(
                f"the tag {name} already exists", hint="tags never move; take the next version"
            )
        return Tag(name, commit, message.strip(), made)

    def releases(self) -> list[ForgeRelease]:
        """Return every release page, oldest first."""
        return [_page(it) for it in self._published()]

    def create_release(
        self, tag: str, title: str, notes: str, assets: Mapping[str, bytes]
    ) -> ForgeRelease:
        """Create the release page of a tag with its assets.

        It is a draft that nobody sees until everything is there, so a crash never shows half
        of it; whoever runs again goes on from the draft.

        Raises:
            ForgeError: there is no such tag, or it has a release page.
        """
        odd = [name for name in assets if not _ASSET.fullmatch(name)]
        if odd:
            raise self._refusal(
                f"{odd[0]!r} is no name of an asset",
                hint="name it with letters, digits, `-`, `_` and `.`",
            )
        if not SOUND_NAME.fullmatch(tag) or self._git.ref(f"tags/{tag}") is None:
            raise self._refusal(f"there is no tag {tag!r}", hint="create it first")
        pages = [it for it in self._pages(fresh=True) if it["tag_name"] == tag]
        if any(not it["draft"] for it in pages):
            raise self._refusal(f"{tag} has a release page", hint="release the next version")
        drafts = sorted(pages, key=lambda it: int(it["id"]))
        for extra in drafts[1:]:
            self._client.write("DELETE", f"/releases/{extra['id']}", repeatable=True)
        text = {"tag_name": tag, "name": title, "body": notes, "draft": True}
        draft = drafts[0] if drafts else self._draft(text)
        self._fill(draft, assets)
        ask = {**text, "draft": False}
        path = f"/releases/{draft['id']}"
        return _page(self._client.write("PATCH", path, ask, repeatable=True))

    def asset(self, tag: str, name: str) -> bytes | None:
        """Return one asset of a release; None if the release or the asset is not there."""
        for fresh in (False, True):
            for page in self._pages(fresh=fresh):
                if page["tag_name"] == tag and not page["draft"]:
                    for it in page["assets"]:
                        if it["name"] == name and it["state"] == "uploaded":
                            return self._bytes(it)
        return None

    def _published(self, *, fresh: bool = False) -> list[Document]:
        found = [it for it in self._pages(fresh=fresh) if not it["draft"]]
        return sorted(found, key=lambda it: (it["published_at"], it["id"]))

    def _pages(self, *, fresh: bool) -> list[Document]:
        if fresh:
            self._survey.forget("releases")
        return self._survey.remembered("releases", lambda: self._client.pages("/releases"))

    def _draft(self, text: Mapping[str, object]) -> Document:
        def look() -> Document | None:
            found = [
                it
                for it in self._client.pages("/releases")
                if it["tag_name"] == text["tag_name"] and it["draft"]
            ]
            return min(found, key=lambda it: int(it["id"]), default=None)

        return self._client.settled(lambda: self._client.write("POST", "/releases", text), look)

    def _fill(self, draft: Document, assets: Mapping[str, bytes]) -> None:
        """Upload what is missing in a draft, and remove what is not wanted or not whole."""
        there = {it["name"]: it for it in draft["assets"]}
        for name, it in there.items():
            if name not in assets or not _holds(it, assets[name]):
                self._client.write("DELETE", f"/releases/assets/{it['id']}", repeatable=True)
        base = str(draft["upload_url"]).partition("{")[0]
        for name, content in sorted(assets.items()):
            if name in there and _holds(there[name], content):
                continue
            try:
                self._upload(f"{base}?name={name}", content)
            except (Lost, Refused) as problem:
                listed = self._client.pages(f"/releases/{draft['id']}/assets")
                if not any(it["name"] == name and _holds(it, content) for it in listed):
                    raise problem from None

    def _upload(self, url: str, content: bytes) -> None:
        made = self._client.upload(url, content, "application/octet-stream")
        if not _holds(made, content):
            raise Lost("GitHub stored half of an asset", hint="run it again", where=url)

    def _bytes(self, asset: Document) -> bytes:
        id_ = int(asset["id"])
        if id_ not in self._small_assets:
            content = self._client.download(
                f"/releases/assets/{id_}", accept="application/octet-stream", limit=_LARGEST
            )
            if not _holds(asset, content):
                raise TryAgain(
                    f"half of {asset['name']} came", hint="run it again", where=self._client.where
                )
            if len(content) > _SMALL:
                return content
            self._small_assets[id_] = content
        return self._small_assets[id_]


def _holds(asset: Document, content: bytes) -> bool:
    """Say whether an asset is whole, and is this content."""
    digest = asset.get("digest")
    same = digest is None or digest == f"sha256:{sha256(content).removeprefix('sha256:')}"
    return asset["state"] == "uploaded" and asset["size"] == len(content) and same


def _page(item: Document) -> ForgeRelease:
    if not item.get("published_at"):
        raise ForgeError(
            f"the release {item.get('tag_name')} was not published", hint="run it again"
        )
    assets = tuple(sorted(it["name"] for it in item["assets"]))
    made = reading.moment(item["published_at"])
    return ForgeRelease(item["tag_name"], item["name"] or "", item["body"] or "", assets, made)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts v10 after v9."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]
