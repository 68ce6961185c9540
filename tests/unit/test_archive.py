"""Archives of others: plain files inside one directory and within limits, or one line."""

import io
import random
import warnings
import zipfile
from pathlib import Path

import pytest

from ml_gitops.adapters.archive import MOST_FILES, OddArchiveError, extract

FILES = {"bento.yaml": b"x: 1\n" * 50, "src/a.py": b"print()\n" * 30, "src/b/c.bin": bytes(4096)}


def packed(*files: tuple[str, bytes], mode: int = 0, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip.

    Args:
        files: name and content, in order; a name may come twice.
        mode: Unix mode of all.
        method: how they are packed.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that come twice
        for name, text in files:
            entry = zipfile.ZipInfo(name)
            entry.external_attr, entry.compress_type = mode << 16, method
            archive.writestr(entry, text)
    return content.getvalue()


def encrypted() -> bytes:
    """Return a zip whose file says that it is encrypted."""
    content = bytearray(packed(("a", b"x")))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def test_what_was_packed_is_there(tmp_path: Path) -> None:
    """Names, folders and contents come back."""
    extract(packed(*FILES.items()), tmp_path / "new" / "x")

    root = tmp_path / "new" / "x"
    found = {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}
    assert found == set(FILES)
    assert all((root / name).read_bytes() == content for name, content in FILES.items())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (packed(("../x", b"")), "would write"),
        (packed(("a/../../x", b"")), "would write"),
        (packed(("/etc/x", b"")), "would write"),
        (packed(("C:x", b"")), "would write"),
        (packed(("a\\..\\x", b"")), "would write"),
        (packed(("a//x", b"")), "would write"),
        (packed(("./x", b"")), "would write"),
        (packed((".", b"")), "would write"),
        (packed(("a/", b"")), "would write"),
        (packed(("", b"")), "would write"),
        (packed(("a\nb", b"")), "would write"),
        (packed(("a\u202egp.py", b"")), "would write"),
        (packed(("link", b"/etc"), mode=0o120777), "would write"),
        (packed(("pipe", b""), mode=0o010644), "would write"),
        (packed(("device", b""), mode=0o020644), "would write"),
        (packed(("a", b"x"), method=zipfile.ZIP_LZMA), "would write"),
        (encrypted(), "would write"),
        (packed(("a", b"1"), ("a", b"2")), "'a' twice"),
        (packed(("a", b"1"), ("A", b"2")), "'A' twice"),
        (packed(("é", b"1"), ("e\u0301", b"2")), "twice"),
        (packed(("a", b"1"), ("a/b", b"2")), "cannot be unpacked"),
        (packed(("a/b", b"1"), ("a", b"2")), "cannot be unpacked"),
        (packed(("x" * 5_000, b"")), "cannot be unpacked"),
        (packed(("zeros", bytes(2**25))), "larger than any of ours"),
        (packed(*((str(n), b"") for n in range(MOST_FILES + 1))), "larger than any of ours"),
        (b"", "cannot be unpacked"),
        (b"PK", "cannot be unpacked"),
    ],
    ids=range(27),
)
@pytest.mark.hostile
def test_an_odd_archive_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """Nothing is written outside, and what is odd is told in a few words."""
    with pytest.raises(OddArchiveError, match=said) as refused:
        extract(content, tmp_path / "in" / "x")

    assert len(str(refused.value)) < 200
    assert {path.name for path in tmp_path.iterdir()} <= {"in"}


@pytest.mark.hostile
def test_a_broken_archive_is_refused_whatever_broke(tmp_path: Path) -> None:
    """Bytes that were changed at random unpack or are refused, and raise nothing else."""
    good, chance = packed(*FILES.items()), random.Random(7)  # noqa: S311
    directory = good.index(b"PK\x01\x02")
    refused = 0
    for number in range(1_500):
        broken = bytearray(good)
        for _ in range(chance.choice([1, 1, 2, 4])):
            start = chance.choice([0, directory])
            broken[chance.randrange(start, len(broken))] = chance.choice([0, 1, 255, 128])
        try:
            extract(bytes(broken), tmp_path / str(number))
        except OddArchiveError:
            refused += 1

    assert refused > 500
