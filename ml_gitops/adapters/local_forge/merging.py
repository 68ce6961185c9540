"""How a branch comes into its base: merge, squash or rebase, without a work tree."""

from ml_gitops.adapters.git.history import log
from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.errors import ForgeError
from ml_gitops.pull_request import MergeMethod


def combine(
    repository: GitRepository,
    method: MergeMethod,
    *,
    base: str,
    head: str,
    number: int,
    branch: str,
    title: str,
) -> str:
    """Return the commit that the base moves to; no ref names it yet.

    Args:
        method: merge, squash or rebase.
        base, head: commit ids.
        number, branch, title: of the pull request, for messages.

    Raises:
        ForgeError: both sides changed the same lines.
    """
    if method == "rebase":
        return _rebase(repository, base, head)
    tree = merged_tree(repository, base, head)
    if method == "squash":
        author = log(repository, head, exclude=[base])[-1].author
        return repository.write_commit(tree, [base], f"{title} (#{number})\n", author=author)
    message = f"Merge pull request #{number} from {branch}\n\n{title}\n"
    return repository.write_commit(tree, [base, head], message)


def merged_tree(repository: GitRepository, ours: str, theirs: str) -> str:
    """Return the tree of a merge of two commits.

    Raises:
        ForgeError: both sides changed the same lines; it names the files.
    """
    done = repository.run(
        "merge-tree",
        "--write-tree",
        "-z",
        "--name-only",
        "--no-messages",
        ours,
        theirs,
        accept=(0, 1),
    )
    tree, *files = done.stdout.decode(errors="replace").rstrip("\0").split("\0")
    if done.returncode:
        raise ForgeError(
            f"both sides changed {', '.join(sorted(set(files)))}",
            hint="merge the base branch into it, resolve the conflicts and push",
            where=str(repository.path),
        )
    return tree


def _rebase(repository: GitRepository, base: str, head: str) -> str:
    """Return the last of the head's commits, replayed one by one on the base.

    `git merge-tree` of Git 2.39 finds the merge base itself. So the base's tree
    is put into a commit whose parent is the parent of the one to replay: then
    that parent is their merge base, which makes the merge a cherry-pick.
    """
    tip = base
    for commit in reversed(log(repository, head, exclude=[base])):
        if len(commit.parents) != 1:
            continue
        ours = repository.write_commit(repository.tree(tip), commit.parents, "replay")
        tree = merged_tree(repository, ours, commit.id)
        if tree != repository.tree(tip):
            tip = repository.write_commit(tree, [tip], commit.message, author=commit.author)
    return tip
