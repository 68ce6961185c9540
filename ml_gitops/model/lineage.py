"""What went into a model: everything that decides its bytes, and one key for all of it."""

from typing import ClassVar

from ml_gitops.data.lock import DataLock
from ml_gitops.document import Digest, Document, canonical_json, sha256


class Lineage(Document):
    """The inputs of one training; equal lineage means equal artifact.

    A commit is not among them: what was reviewed on a branch is the same model
    after a squash, a rebase or a merge.

    Attributes:
        sources: path to digest of every source file of the model.
        params: digest of the hyper-parameters.
        contract: digest of the config tables that shape training.
        data_lock: digest of the locked rows and their window.
        environment: library to version, for those that decide numbers.
        product: major version of this product.
    """

    file_name: ClassVar[str] = "lineage.json"

    sources: dict[str, Digest]
    params: Digest
    contract: Digest
    data_lock: Digest
    environment: dict[str, str]
    product: str

    @property
    def paths(self) -> list[str]:
        """The files of the repository that are digested here one by one."""
        locks = [name for name, value in self.environment.items() if value.startswith("sha256:")]
        return [*self.sources, *locks]

    @property
    def run_key(self) -> str:
        """The digest of everything that went in."""
        return self.content_digest()

    def changes_from(self, other: "Lineage") -> list[str]:
        """Name the inputs that differ from another lineage, in the words of a release note."""
        named = {
            "code": self.sources != other.sources,
            "hyper-parameters": self.params != other.params,
            "contract": self.contract != other.contract,
            "data": self.data_lock != other.data_lock,
            "environment": self.environment != other.environment or self.product != other.product,
        }
        return [name for name, differs in named.items() if differs]


def trace(
    *,
    sources: dict[str, bytes],
    params: bytes,
    contract: object,
    lock: DataLock,
    environment: dict[str, str],
    product_version: str,
) -> Lineage:
    """Digest the inputs of a training.

    Args:
        sources: path to content of every source file of the model.
        params: the hyper-parameter file.
        contract: the config tables that shape training, as plain values.
        lock: the locked rows; only window and content count, not how they are named.
        environment: library to version.
        product_version: this product's version; its major number counts.
    """
    return Lineage(
        sources={path: sha256(content) for path, content in sources.items()},
        params=sha256(params),
        contract=sha256(canonical_json(contract).encode()),
        data_lock=data_digest(lock),
        environment=environment,
        product=product_version.partition(".")[0],
    )


def data_digest(lock: DataLock) -> str:
    """Return the digest of locked rows and their window."""
    rows = {"window": lock.window.model_dump(mode="json"), "digest": lock.digest}
    return sha256(canonical_json(rows).encode())


def short(digest: str) -> str:
    """Return the first 12 digits of a digest, for names that people read."""
    return digest.removeprefix("sha256:")[:12]
