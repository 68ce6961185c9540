"""What GitHub publishes about its own API, fetched from npm once into `build/tools`."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "build" / "tools"
HOW = "install Node.js, whose npm fetches it (Debian: apt-get install npm)"


class Missing(Exception):
    """A description is not here, and cannot be fetched."""


@dataclass(frozen=True)
class Description:
    """A file of a package of npm, at one version, with the SHA-256 of its bytes."""

    package: str
    version: str
    inside: str
    digest: str

    @property
    def file(self) -> Path:
        """Where it is kept."""
        name = self.package.removeprefix("@").replace("/", "-")
        return FOLDER / f"{name}-{self.version}{Path(self.inside).suffix}"

    def fetch(self) -> Path:
        """Return the file, fetched if it is not there yet.

        Raises:
            Missing: there is no npm, or it cannot reach its registry.
        """
        if self.file.exists():
            return self.file
        npm = shutil.which("npm")
        if npm is None:
            raise Missing(f"{self.package} is not here; {HOW}")
        FOLDER.mkdir(parents=True, exist_ok=True)
        # Test workers may come here at once; each unpacks in a folder of its own.
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            command = [npm, "pack", "--silent", "--fetch-retries=0"]
            command.append(f"{self.package}@{self.version}")
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Missing(f"npm could not fetch {self.package}: {done.stderr.strip()}")
            with tarfile.open(Path(folder) / done.stdout.split()[-1]) as archive:
                content = archive.extractfile(f"package/{self.inside}")
                assert content is not None
                found = content.read()
            if hashlib.sha256(found).hexdigest() != self.digest:
                raise Missing(f"{self.package} {self.version} of npm is another than we know")
            draft = Path(folder) / "draft"
            draft.write_bytes(found)
            draft.replace(self.file)
        return self.file


OPENAPI = Description(
    "@octokit/openapi",
    "23.0.2",
    "generated/api.github.com.json",
    "829b4bebb19a53133289f7b0bc819f4f1118115821db2ca9f25e9ee995a7da2a",
)
GRAPHQL = Description(
    "@octokit/graphql-schema",
    "15.26.1",
    "schema.graphql",
    "3c62d0526d133cee53221c89de9b455ade24db78b9e7ad56d642c4c15bce2654",
)


@cache
def find(description: Description) -> Path | None:
    """Return a description; None without npm.

    Raises:
        Missing: it cannot be fetched, where `CI` is true.
    """
    try:
        return description.fetch()
    except Missing:
        if os.environ.get("CI") == "true":
            raise
        return None
