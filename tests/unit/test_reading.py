"""Files of a work tree are regular, small, and inside of it, or they are refused in one line."""

import os
import socket
from pathlib import Path

import pytest

from ml_gitops.adapters.reading import LARGEST, files_below, read_file
from ml_gitops.adapters.run_inputs import python_files
from ml_gitops.errors import ConfigError


def test_a_pipe_is_refused_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no Git holds, an archive can: a pipe in place of a file keeps nobody waiting."""
    os.mkfifo(tmp_path / "params.toml")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(tmp_path)  # the name of a socket must be short
        listening.bind("s")

        with pytest.raises(ConfigError, match=r"^params\.toml: this is no regular file; "):
            read_file(tmp_path, "params.toml")
        with pytest.raises(ConfigError, match="cannot read it"):
            read_file(tmp_path, "s")


def test_a_file_beyond_any_size_is_refused(tmp_path: Path) -> None:
    """It is not read to its end before somebody says no."""
    with (tmp_path / "params.toml").open("wb") as file:
        os.truncate(file.fileno(), 2**40)
    (tmp_path / "largest").write_bytes(b"x" * LARGEST)

    with pytest.raises(ConfigError, match=r"^params\.toml: this is larger than 16 MiB; "):
        read_file(tmp_path, "params.toml")
    assert len(read_file(tmp_path, "largest") or b"") == LARGEST


def test_links_are_no_sources_and_no_checks(tmp_path: Path) -> None:
    """A link is neither listed nor read, wherever it leads; nor is what is hidden."""
    root = tmp_path / "tree"
    (root / "checks" / "deep").mkdir(parents=True)
    (root / "checks" / "deep" / "test_a.py").write_text("")
    (root / "checks" / "golden.csv").write_text("")
    (root / "checks" / ".hidden").write_text("")
    (root / "checks" / "__pycache__").mkdir()
    (root / "checks" / "__pycache__" / "test_a.pyc").write_text("")
    (tmp_path / "outside.py").write_text("secret")
    (root / "conftest.py").symlink_to(tmp_path / "outside.py")
    (root / "checks" / "test_b.py").symlink_to(tmp_path / "outside.py")

    assert list(files_below(root, "checks")) == ["checks/golden.csv", "checks/deep/test_a.py"]
    assert list(files_below(root, "gone")) == []
    assert [file.name for file in python_files(root)] == ["test_a.py"]
    with pytest.raises(ConfigError, match=r"^conftest\.py: this is a link; "):
        list(files_below(root, "conftest.py"))
