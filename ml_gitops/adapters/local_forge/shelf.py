"""What a local forge keeps under names: tags, releases with assets, artifacts."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote

from ml_gitops.adapters.file_name import to_file_name
from ml_gitops.adapters.git import history
from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.adapters.local_forge.records import folder
from ml_gitops.adapters.local_forge.state import ForgeState, Work
from ml_gitops.document import Document
from ml_gitops.ports import ForgeRelease, Tag


class ReleaseRecord(Document):
    """A release page as it is written down; its assets lie beside it."""

    file_name = "page.json"
    tag: str
    title: str
    notes: str
    assets: tuple[str, ...]
    created: datetime


class Shelf:
    """Tags, releases and artifacts of a local forge."""

    _repository: GitRepository
    _state: ForgeState

    def tags(self) -> list[Tag]:
        """Return every annotated tag, oldest first."""
        return history.tags(self._repository)

    def create_tag(self, name: str, commit: str, message: str) -> Tag:
        """Create an annotated tag; an existing one is never moved (`ForgeError`)."""
        return self._state.insist(
            lambda: history.create_tag(self._repository, name, commit, message)
        )

    def releases(self) -> list[ForgeRelease]:
        """Return every release page, oldest first."""
        files = self._state.files("releases/")
        # An asset may have any name; the page itself lies right in the tag's folder.
        pages = [path.split("/") for path in files]
        paths = ["/".join(page) for page in pages if page[2:] == [ReleaseRecord.file_name]]
        texts = self._repository.blobs([files[path] for path in paths])
        records = [
            ReleaseRecord.from_json(text, where=path)
            for path, text in zip(paths, texts, strict=True)
        ]
        return [_page(record) for record in sorted(records, key=lambda it: (it.created, it.tag))]

    def create_release(
        self, tag: str, title: str, notes: str, assets: Mapping[str, bytes]
    ) -> ForgeRelease:
        """Create the release page of a tag with its assets.

        Raises:
            ForgeError: there is no such tag, or it has a release page.
        """
        place = folder("releases", tag)

        def step(work: Work) -> ForgeRelease:
            if self._repository.resolve(f"refs/tags/{tag}") is None:
                raise work.refusal(f"there is no tag {tag!r}", hint="create it first")
            if place + ReleaseRecord.file_name in work.files:
                raise work.refusal(f"{tag} has a release page", hint="release the next version")
            record = ReleaseRecord(
                tag=tag,
                title=title,
                notes=notes,
                assets=tuple(sorted(assets)),
                created=self._repository.clock(),
            )
            work.message = f"Release {tag}: {title}"
            work.changes[place + ReleaseRecord.file_name] = record.to_json().encode()
            for name, content in assets.items():
                work.changes[f"{place}assets/{to_file_name(name)}"] = content
            return _page(record)

        return self._state.change(step)

    def asset(self, tag: str, name: str) -> bytes | None:
        """Return one asset of a release; None if the release or the asset is not there."""
        path = f"{folder('releases', tag)}assets/{to_file_name(name)}"
        files = self._state.files(path)
        return self._repository.blobs([files[path]])[0] if path in files else None

    def store_artifact(self, name: str, files: Mapping[str, bytes]) -> None:
        """Keep files under a name; the same name with the same files changes nothing."""
        place = folder("artifacts", name)
        wanted = {place + to_file_name(file): content for file, content in files.items()}

        def step(work: Work) -> None:
            work.message = f"Keep the artifact {name}"
            work.changes |= {path: None for path in work.files if path.startswith(place)}
            work.changes |= wanted

        self._state.change(step)

    def artifact(self, name: str) -> dict[str, bytes] | None:
        """Return the files kept under a name; None if there are none."""
        place = folder("artifacts", name)
        files = self._state.files(place)
        contents = self._repository.blobs(list(files.values()))
        names = [unquote(path.removeprefix(place)) for path in files]
        return dict(zip(names, contents, strict=True)) or None


def _page(record: ReleaseRecord) -> ForgeRelease:
    return ForgeRelease(record.tag, record.title, record.notes, record.assets, record.created)
