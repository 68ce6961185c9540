"""Everything that is written down or handed between jobs is a `Document`.

A document is frozen, versioned, and refuses keys it does not know. Its file
form is canonical JSON (sorted keys, two spaces, one newline at the end), so
equal documents are equal bytes and a difference reads well in `git diff`.
"""

import hashlib
import json
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ml_gitops.errors import DocumentError

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
"""A content digest, `sha256:` and 64 hexadecimal digits."""


def sha256(content: bytes) -> str:
    """Return the digest of bytes in the form `sha256:<hex>`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def canonical_json(value: Any) -> str:
    """Return JSON that is equal for equal values: sorted keys, no NaN, one final newline."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return text + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(one) for one in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


class Part(BaseModel):
    """A frozen piece of a document; unknown keys and NaN are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def settled(self) -> Self:
        """Return an equal part with every float at nine significant digits.

        Engines add up in the order in which their threads finish, so the last
        digits of the same measurement differ from run to run.
        """
        return type(self).model_validate(_rounded(self.model_dump()))


class Document(Part):
    """A frozen record with a version of its form.

    A subclass that changes its form raises `schema_version` to the next number
    and keeps reading the one before.
    """

    file_name: ClassVar[str] = "document.json"
    schema_version: Literal[1] = 1

    def to_json(self) -> str:
        """Return the canonical JSON of this document."""
        return canonical_json(self.model_dump(mode="json"))

    def content_digest(self) -> str:
        """Return the digest of the canonical JSON."""
        return sha256(self.to_json().encode())

    @classmethod
    def from_json(cls, text: str | bytes, *, where: str) -> Self:
        """Read a document.

        Args:
            text: JSON as written by `to_json`.
            where: the file or address it came from, for the message.

        Raises:
            DocumentError: the text is not JSON, or not this document.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise DocumentError(
                f"this is not a {cls.__name__}: {first_problem(error)}",
                hint="restore the file from Git; machines write it, people do not edit it",
                where=where,
            ) from None


class Missing(Part):
    """Absence as a value: why there is nothing here."""

    missing: Literal[True] = True
    reason: str


def first_problem(error: ValidationError) -> str:
    """Return the first problem of a validation error as `key: what is wrong`."""
    problem = error.errors(include_url=False, include_context=False)[0]
    key = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"][:1].lower() + problem["msg"][1:]
    return f"{key}: {message}" if key else message
