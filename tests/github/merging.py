"""How a pull request comes into its base, with what Git itself makes of it."""

from functools import lru_cache

from tests.github import pushes
from tests.github.accounts import Account
from tests.github.commits import Signature, history, merge_base, read_commit, write_commit
from tests.github.git import HEADS, Git
from tests.github.signing import sign, web_flow
from tests.github.world import Pull, Repository, Thread, World


def merged_tree(git: Git, ours: str, theirs: str) -> str | None:
    """Return the tree of a merge of two commits; None if they conflict."""
    printed = git.run("merge-tree", "--write-tree", ours, theirs, accept=(0, 1)).decode()
    tree, *rest = printed.split("\n")
    # A clean merge prints the tree alone.
    return tree if not any(rest) else None


def judge(world: World, repository: Repository, thread: Thread, pull: Pull) -> None:
    """Compute whether a pull request merges, with the test merge in `refs/pull/N/merge`."""
    git = repository.git
    tree = merged_tree(git, pull.base, pull.head)
    pull.judged, pull.test_merge = (pull.head, pull.base), None
    ref = f"refs/pull/{thread.number}/merge"
    if tree is not None:
        by = Signature("GitHub", "noreply@github.com", world.now())
        message = f"Merge {pull.head} into {pull.base}"
        pull.test_merge = write_commit(git, tree, [pull.base, pull.head], message, by, by)
        pushes.move(world, repository, ref, pull.test_merge, thread.author)


def combine(
    world: World,
    repository: Repository,
    thread: Thread,
    pull: Pull,
    how: str,
    by: Account,
    title: str = "",
    message: str = "",
) -> str | None:
    """Return the commit that the base would move to; None if it conflicts."""
    git = repository.git
    if how == "rebase":
        return _rebased(git, pull, web_flow(world))
    tree = merged_tree(git, pull.base, pull.head)
    if tree is None:
        return None
    if how == "squash":
        title = title or f"{thread.title} (#{thread.number})"
        text = message or _squashed(git, pull)
        parents, author = [pull.base], sign(world, thread.author)
    else:
        origin = f"{pull.source_owner.login}/{pull.branch}"
        title = title or f"Merge pull request #{thread.number} from {origin}"
        text = message or thread.title
        parents, author = [pull.base, pull.head], sign(world, by)
    sha = write_commit(
        git, tree, parents, f"{title}\n\n{text}".rstrip() + "\n", author, web_flow(world)
    )
    repository.signed.add(sha)
    return sha


def _squashed(git: Git, pull: Pull) -> str:
    """Return the message of the only commit, or a list of all of them."""
    found = [read_commit(git, it) for it in history(git, pull.head, exclude=pull.base)]
    messages = [it.message for it in reversed(found) if it]
    if len(messages) == 1:
        return messages[0].partition("\n\n")[2]
    return "\n\n".join(f"* {it}" for it in messages)


def _rebased(git: Git, pull: Pull, committer: Signature) -> str | None:
    """Replay the commits of the head on the base, one by one."""
    tip = pull.base
    for sha in reversed(history(git, pull.head, exclude=pull.base)):
        commit, below = read_commit(git, sha), read_commit(git, tip)
        assert commit is not None
        assert below is not None
        if len(commit.parents) != 1:
            continue
        # Git 2.39 looks for the merge base itself. A commit with the tree of the tip on
        # the parent of the one to replay makes that parent the base: a cherry-pick.
        ours = write_commit(git, below.tree, commit.parents, "replay", committer, committer)
        tree = merged_tree(git, ours, sha)
        if tree is None:
            return None
        tip = write_commit(git, tree, [tip], commit.message, commit.author, committer)
    return tip


def numbers(git: Git, base: str, head: str) -> dict[str, int]:
    """Return how many commits, files and lines a pull request has."""
    return dict(_numbers(git, base, head))


@lru_cache(4096)
def _numbers(git: Git, base: str, head: str) -> tuple[tuple[str, int], ...]:
    rows = git.run("diff", "--numstat", f"{base}...{head}").decode().splitlines()
    lines = [row.split("\t")[:2] for row in rows]
    added, removed = (sum(int(it[i]) for it in lines if it[i].isdecimal()) for i in (0, 1))
    commits = len(history(git, head, exclude=base))
    return (
        ("commits", commits),
        ("additions", added),
        ("deletions", removed),
        ("changed_files", len(rows)),
    )


def land(
    world: World, repository: Repository, thread: Thread, pull: Pull, commit: str, by: Account
) -> None:
    """Move the base to a merge, and note the pull request as merged."""
    pull.merge_commit = commit
    pushes.finish(world, thread, pull, by)
    pushes.move(world, repository, HEADS + pull.base_branch, commit, by)


__all__ = ["combine", "judge", "land", "merge_base", "numbers"]
