"""A forge as a model in one folder of its repository sees it: paths start in that folder."""

from dataclasses import replace
from typing import Any, cast

from ml_gitops.ports import Changes, Forge
from ml_gitops.pull_request import PullRequest, PullRequestSpec


def in_folder(forge: Forge, folder: str) -> Forge:
    """Return a forge whose paths start in a folder; whatever takes no path is the forge's own.

    Args:
        folder: such as `models/churn/`; empty for the top of the repository.
    """
    return cast("Forge", _InFolder(forge, folder)) if folder else forge


class _InFolder:
    """Every method of the port that takes paths; a test holds that none is missing."""

    def __init__(self, forge: Forge, folder: str) -> None:
        self._forge = forge
        self._folder = folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._forge, name)

    def read(self, path: str, *, ref: str) -> bytes | None:
        return self._forge.read(self._folder + path, ref=ref)

    def files(self, *places: str, ref: str) -> dict[str, bytes]:
        found = self._forge.files(*(self._folder + place for place in places), ref=ref)
        return {path.removeprefix(self._folder): content for path, content in found.items()}

    def content_id(self, folder: str = "", *, ref: str) -> str:
        return self._forge.content_id(self._folder + folder, ref=ref)

    def commit(self, branch: str, changes: Changes, message: str) -> str:
        placed = {self._folder + path: content for path, content in changes.items()}
        return self._forge.commit(branch, placed, message)

    def open_pull_request(self, spec: PullRequestSpec) -> PullRequest:
        return self._forge.open_pull_request(self._placed(spec))

    def update_pull_request(self, number: int, spec: PullRequestSpec) -> PullRequest:
        return self._forge.update_pull_request(number, self._placed(spec))

    def _placed(self, spec: PullRequestSpec) -> PullRequestSpec:
        return replace(spec, folder=self._folder + spec.folder)
