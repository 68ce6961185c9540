"""Archives that others may have made: plain files, within limits, read or written in one place."""

import io
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

LARGEST = 2**30
"""Bytes that an archive may unpack to."""
MOST_FILES = 1_000
HIGHEST_RATIO = 200
"""Unpacked bytes for each packed one; models and code need a tenth of it."""
SMALL = 2**20
"""Bytes that any archive may unpack to, whatever its ratio."""
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, LookupError)
"""What `zipfile` raises at archives that lie: it was written for those that do not."""


class OddArchiveError(Exception):
    """Say what about an archive is refused."""


def extract(content: bytes, into: Path) -> None:
    """Write the files of a zip below a directory that is not there yet.

    Raises:
        OddArchiveError: it is no zip, or one that nobody honest makes.
    """
    with _opened(content) as archive:
        into.mkdir(parents=True)
        for entry in archive.infolist():
            target = into / entry.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as packed, target.open("xb") as file:
                shutil.copyfileobj(packed, file)


def read(content: bytes) -> dict[str, bytes]:
    """Return the files of a zip by their paths; nothing is written to disk.

    Raises:
        OddArchiveError: it is no zip, or one that nobody honest makes.
    """
    with _opened(content) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


@contextmanager
def _opened(content: bytes) -> Iterator[zipfile.ZipFile]:
    """Open an archive that holds no more than plain files.

    `zipfile` reads no more of an entry than was declared, and holds it to its checksum.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _hold(archive.infolist(), len(content))
            yield archive
    except _BROKEN as error:
        said = getattr(error, "strerror", None) or type(error).__name__
        raise OddArchiveError(f"it cannot be unpacked ({said})") from None


def _hold(entries: Sequence[zipfile.ZipInfo], packed: int) -> None:
    """Refuse an archive before any of it is written."""
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_FILES or total > min(LARGEST, max(SMALL, packed * HIGHEST_RATIO)):
        raise OddArchiveError("it is larger than any of ours")
    taken: set[str] = set()
    for entry in entries:
        name = entry.filename
        if not _plain(entry):
            raise OddArchiveError(f"it would write {name[:80]!r}")
        folded = unicodedata.normalize("NFC", name).casefold()
        if folded in taken:
            raise OddArchiveError(f"it holds {name[:80]!r} twice")
        taken.add(folded)


def _plain(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a regular file inside the directory, packed as we pack."""
    name = entry.filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    return (
        kind in (0, stat.S_IFREG)
        and entry.compress_type in _PACKED
        and not entry.flag_bits & _ENCRYPTED
        and name.isprintable()
        and not set(name) & set('\\:*?"<>|')
        and not PurePosixPath(name).is_absolute()
        and ".." not in PurePosixPath(name).parts
        and name == PurePosixPath(name).as_posix() != "."
    )
