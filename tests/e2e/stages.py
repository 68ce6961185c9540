"""Worlds at the turning points of the story, made once and copied by whoever goes on from there."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from ml_gitops.adapters import bento
from ml_gitops.document import sha256
from tests.builders import PARAMS
from tests.e2e.world import BLIND_PIPELINE, DECAYED, FIRST, FIRST_LOCK, LATER, QUIET, World


@contextmanager
def bentos_built_once(shelf: Path) -> Iterator[None]:
    """Build the Bento of equal files once: the contract holds that its bytes are equal anyway."""
    build = bento.build

    def remembered(files: Mapping[str, bytes]) -> bytes:
        digests = "".join(sha256(name.encode() + files[name]) for name in sorted(files))
        kept = shelf / "bentos" / sha256(digests.encode()).removeprefix("sha256:")
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            draft = kept.with_suffix(f".{os.getpid()}")
            draft.write_bytes(build(files))
            draft.replace(kept)
        return kept.read_bytes()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bento, "build", remembered)
        yield


class Stages:
    """The turning points, in a folder that processes share.

    Args:
        shelf: the folder.
    """

    def __init__(self, shelf: Path) -> None:
        self._shelf = shelf

    def find(self, name: str, make: Callable[[Path], World]) -> World:
        """Return a world by its name, made in the first process that asks."""
        folder = self._shelf / name
        folder.mkdir(parents=True, exist_ok=True)
        root, when = folder / "churn", folder / "when"
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not when.exists():
                shutil.rmtree(root, ignore_errors=True)
                when.write_text(make(root).now.isoformat())
        return World(root, datetime.fromisoformat(when.read_text()))

    def trained(self) -> World:
        """Return a world whose first pull request is open and trained, and has no report yet."""

        def make(root: Path) -> World:
            world = World.make(root)
            world.run("data", "lock", "--until", str(FIRST_LOCK))
            world.propose("The first model")
            world.run("train")
            return world

        return self.find("trained", make)

    def reviewed(self) -> World:
        """Return a world whose first pull request carries its report."""

        def make(root: Path) -> World:
            world = self.trained().copy(root)
            world.run("report")
            return world

        return self.find("reviewed", make)

    def pushed(self) -> World:
        """Return a world in which a reviewed pull request was pushed to, and trained again."""

        def make(root: Path) -> World:
            world = self.reviewed().copy(root)
            (root / "params.toml").write_text(PARAMS.replace("1.0", "0.5"))
            world.clone.commit_all("Regularise more")
            world.clone.push("the-first-model")
            world.run("train")
            return world

        return self.find("pushed", make)

    def released(self) -> World:
        """Return a world in which production serves the first release."""

        def make(root: Path) -> World:
            world = self.reviewed().copy(root)
            world.merge(1)
            world.release()
            return world

        return self.find("released", make)

    def decayed(self) -> World:
        """Return a world in which the release was of use for two weeks and of none for three."""

        def make(root: Path) -> World:
            world = self.released().copy(root)
            world.live(FIRST_LOCK, QUIET, FIRST)
            world.live(QUIET, DECAYED, FIRST)
            return world

        return self.find("decayed", make)

    def proposed(self) -> World:
        """Return a world in which the monitor has opened its retraining pull request."""

        def make(root: Path) -> World:
            world = self.decayed().copy(root)
            world.monitor(DECAYED)
            return world

        return self.find("proposed", make)

    def updated(self) -> World:
        """Return a world in which the monitor has looked again, a week of decay later."""

        def make(root: Path) -> World:
            world = self.proposed().copy(root)
            world.live(DECAYED, LATER, FIRST)
            world.monitor(LATER)
            return world

        return self.find("updated", make)

    def worse(self) -> World:
        """Return a world where a worse release was merged against the gate's advice, and serves."""

        def make(root: Path) -> World:
            world = self.released().copy(root)
            number = world.propose("Look at wear only", {"model/pipeline.py": BLIND_PIPELINE})
            world.integrate(number, expect=1)
            world.merge(number)
            world.release()
            world.live(FIRST_LOCK, QUIET, "churn@v1.1.0")
            return world

        return self.find("worse", make)

    def rolled_back(self) -> World:
        """Return a world in which the monitor has proposed to go back."""

        def make(root: Path) -> World:
            world = self.worse().copy(root)
            world.monitor(QUIET)
            return world

        return self.find("rolled-back", make)
