"""The files of a commit, as the loops read a work tree. Nothing of them is ever run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from ml_gitops.document import sha256
from ml_gitops.names import CONFIG_FILE, is_hidden, is_shown

_MARKS = ("pyvenv.cfg", CONFIG_FILE)


class CommitFiles:
    """The files of a commit, or of one folder in it, without a checkout.

    Args:
        paths: of the regular files of the commit.
        fetch: returns the content of one.
        environment: what a run says it was made with; no job but that one can know.
        folder: where paths start, with a slash at its end; empty for the top.
    """

    def __init__(
        self,
        paths: Iterable[str],
        fetch: Callable[[str], bytes],
        environment: Mapping[str, str] | None = None,
        folder: str = "",
    ) -> None:
        listed = sorted(paths)
        self.paths = [it.removeprefix(folder) for it in listed if it.startswith(folder)]
        self._known: dict[str, bytes] = {}
        self._listed, self._fetch, self._folder = listed, fetch, folder
        self._environment = dict(environment or {})

    def below(self, folder: str, environment: Mapping[str, str] | None = None) -> "CommitFiles":
        """Return the files of a folder of the commit; see `CommitFiles`."""
        return CommitFiles(self._listed, self._fetch, environment, folder)

    def with_changes(self, changes: Mapping[str, bytes]) -> "CommitFiles":
        """Return the files that a commit on top of this one would have."""
        changed = {self._folder + path: content for path, content in changes.items()}

        def fetch(path: str) -> bytes:
            return changed[path] if path in changed else self._fetch(path)

        return CommitFiles({*self._listed, *changed}, fetch, self._environment, self._folder)

    def read(self, path: str) -> bytes | None:
        """Return a file; None if the commit has none of that name."""
        if path not in self.paths:
            return None
        if path not in self._known:
            self._known[path] = self._fetch(self._folder + path)
        return self._known[path]

    def files(self, *places: str) -> dict[str, bytes]:
        """Return path and content of every file at or below these places, nothing hidden."""
        return {
            path: self.read(path) or b""
            for place in places
            for path in self.paths
            if is_shown(path, place)
        }

    def sources(self, _folder: str, *, without: Sequence[str] = ()) -> dict[str, bytes]:
        """Return path and content of every Python file that a model's code may import."""
        others = {
            str(PurePosixPath(path).parent)
            for path in self.paths
            if PurePosixPath(path).name in _MARKS and "/" in path
        }
        return {
            path: self.read(path) or b""
            for path in self.paths
            if path.endswith(".py")
            and not any(is_hidden(name) for name in PurePosixPath(path).parts[:-1])
            and path.partition("/")[0] not in without
            and not any(str(above) in others for above in PurePosixPath(path).parents)
        }

    def environment(self) -> dict[str, str]:
        """Return what the run says of its libraries, and the locks as the commit has them."""
        return {
            name: sha256(self.read(name) or b"") if value.startswith("sha256:") else value
            for name, value in self._environment.items()
        }
