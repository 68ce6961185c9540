"""Where the whole of a text is kept that is too long for a forge: beside the records of runs.

A proposal's own branch changes what it proposes and nothing else, so that what is merged is what
was judged.
"""

from dataclasses import replace
from typing import TypeVar

from ml_gitops.document import sha256
from ml_gitops.model.lineage import short
from ml_gitops.names import RECORDS_BRANCH
from ml_gitops.ports import Forge, Records
from ml_gitops.pull_request import IssueSpec, PullRequestSpec

Spec = TypeVar("Spec", PullRequestSpec, IssueSpec)


def pointed(forge: Forge, spec: Spec) -> Spec:
    """Let a text that does not fit say where the whole of it is; `keep_whole` puts it there."""
    if not spec.overflows:
        return spec
    path = _path(spec)
    if forge.account.kind == "local":
        told = f"`git -C {forge.address} show {RECORDS_BRANCH}:{path}` has all of it."
    else:
        told = f"[all of it]({forge.address}/blob/{RECORDS_BRANCH}/{path}) is kept beside the runs."
    return replace(spec, rest=told)


def keep_whole(records: Records, spec: PullRequestSpec | IssueSpec) -> None:
    """Keep the whole of a text that does not fit; equal texts are kept once."""
    if spec.overflows:
        records.append(_path(spec), spec.body.rstrip() + "\n")


def _path(spec: PullRequestSpec | IssueSpec) -> str:
    """Return the path of a text: its content is its name, so none ever takes another's place."""
    about = spec.model.replace("#", "-") or "all"
    return f"texts/{spec.kind}/{about}/{short(sha256(spec.body.encode()))}.md"
