"""What follows from a ref that moved: pull requests follow, close, or are merged."""

from tests.github.accounts import Account
from tests.github.commits import contains
from tests.github.git import HEADS
from tests.github.world import Pull, Repository, Thread, World


def move(world: World, repository: Repository, ref: str, new: str | None, by: Account) -> None:
    """Point a ref somewhere, or delete it, and do what follows."""
    repository.git.move(ref, new)
    moved(world, repository, ref, new, by)


def catch_up(world: World) -> None:
    """Do what follows from every push since the last request."""
    for repository in list(world.repositories.values()):
        for who, ref, new in repository.git.new_moves():
            moved(world, repository, ref, new, world.account(who) or repository.owner)


def moved(world: World, repository: Repository, ref: str, new: str | None, by: Account) -> None:
    """Do what follows from a ref that points elsewhere now."""
    if repository.refs.get(ref) == new:
        return
    if new is None:
        del repository.refs[ref]
    else:
        repository.refs[ref] = new
    if not ref.startswith(HEADS):
        return
    branch = ref.removeprefix(HEADS)
    for target in list(world.repositories.values()):
        for thread, pull in target.pulls():
            if thread.state != "open":
                continue
            if target is repository and pull.base_branch == branch:
                _base_moved(world, target, thread, pull, new, by)
            if thread.state == "open" and pull.source is repository and pull.branch == branch:
                _head_moved(world, target, thread, pull, new, by)


def _base_moved(
    world: World, target: Repository, thread: Thread, pull: Pull, new: str | None, by: Account
) -> None:
    """Close without a base; count as merged what the base contains now."""
    if new is None:
        close(world, thread, by)
    elif pull.head != pull.base and contains(target.git, new, pull.head):
        pull.merge_commit = _merge_of(target, pull, new)
        finish(world, thread, pull, by)
    else:
        pull.base = new


def _merge_of(target: Repository, pull: Pull, new: str) -> str:
    """Return the first commit of the base, after the old tip, that contains the head."""
    path = f"{pull.head}..{new}"
    found = target.git.run("rev-list", "--ancestry-path", "--first-parent", path).decode().split()
    return found[-1] if found else pull.head


def _head_moved(
    world: World, target: Repository, thread: Thread, pull: Pull, new: str | None, by: Account
) -> None:
    """Follow the branch; close if it is gone, or if nothing is left to merge."""
    if new is None:
        close(world, thread, by)
        return
    bring(target, pull.source, thread.number, new)
    pull.head, pull.base_shown = new, pull.base
    world.touch(thread)
    if contains(target.git, pull.base, new):
        close(world, thread, by)


def bring(target: Repository, source: Repository | None, number: int, head: str) -> None:
    """Point `refs/pull/N/head` to a head, with its objects if they are in a fork."""
    if source is not None and source is not target and not target.git.is_a("commit", head):
        target.git.run("fetch", "--quiet", "--no-tags", str(source.git.path), head)
    target.git.move(f"refs/pull/{number}/head", head)
    target.refs[f"refs/pull/{number}/head"] = head


def close(world: World, thread: Thread, by: Account, reason: str | None = None) -> None:
    """Close an issue, or a pull request without merging."""
    thread.state, thread.reason, thread.closed_by = "closed", reason, by
    thread.closed = world.touch(thread)


def finish(world: World, thread: Thread, pull: Pull, by: Account) -> None:
    """Note that a pull request is merged."""
    close(world, thread, by)
    pull.merged, pull.merged_by, pull.draft = thread.closed, by, False
