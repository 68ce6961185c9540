"""Check runs: what a report says beside the lines it is about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ml_gitops.adapters.github.client import Document
from ml_gitops.adapters.github.threads import Threads

Conclusion = Literal["success", "failure", "neutral"]
_BATCH = 50
"""Annotations that GitHub takes in one call."""
_MOST_TEXT = 65_000


@dataclass(frozen=True)
class Annotation:
    """A word beside lines of a file.

    Args:
        path: of the file in the repository.
        line: the line it is about, from 1.
        level: how much it matters.
        message: what is to be said.
    """

    path: str
    line: int
    level: Literal["notice", "warning", "failure"]
    message: str

    def document(self) -> Document:
        """Return it as GitHub takes it."""
        return {
            "path": self.path,
            "start_line": self.line,
            "end_line": self.line,
            "annotation_level": self.level,
            "message": self.message[:_MOST_TEXT],
        }


class Checks(Threads):
    """The check runs of commits; only an app, or the token of a job, may write them."""

    def check_run(
        self,
        commit: str,
        name: str,
        conclusion: Conclusion,
        *,
        title: str,
        summary: str,
        annotations: Sequence[Annotation] = (),
        evidence: str = "",
    ) -> int:
        """Leave one completed check run on a commit, and return its id.

        The same evidence leaves one check run, however often it is told.

        Args:
            commit: full commit id.
            name: of the check; branch rules name it.
            conclusion, title, summary: as people will see them.
            annotations: any number of them.
            evidence: what it stands on: the run and its attempt.
        """
        output = {"title": title[:255], "summary": summary[:_MOST_TEXT]}
        batches = list(_batches([it.document() for it in annotations]))
        found = self._check(commit, name, evidence)
        if found is None:
            ask: Document = {"name": name, "head_sha": commit, "external_id": evidence}
            ask |= {"status": "in_progress", "output": {**output, "annotations": batches[0]}}
            found = self._client.settled(
                lambda: self._client.write("POST", "/check-runs", ask),
                lambda: self._check(commit, name, evidence),
            )
        # GitHub adds annotations to those that are there; the count says where we stopped.
        done = int(found["output"]["annotations_count"])
        path = f"/check-runs/{found['id']}"
        for number, batch in enumerate(batches):
            if number * _BATCH >= done and batch:
                more = {"output": {**output, "annotations": batch}}
                self._append(path, more, done)
                done += len(batch)
        finish: dict[str, Any] = {"status": "completed", "conclusion": conclusion, "output": output}
        if (found["status"], found["conclusion"]) != ("completed", conclusion):
            self._client.write("PATCH", path, finish, repeatable=True)
        return int(found["id"])

    def _append(self, path: str, more: Document, before: int) -> None:
        """Add annotations once; where the answer is lost, count them."""

        def look() -> Document | None:
            there = self._client.get(path)
            return there if there["output"]["annotations_count"] > before else None

        self._client.settled(lambda: self._client.write("PATCH", path, more), look)

    def _check(self, commit: str, name: str, evidence: str) -> Document | None:
        """Return our check run of this name and evidence on a commit."""
        path = f"/commits/{commit}/check-runs"
        found = self._client.pages(path, "check_runs", check_name=name, filter="all")
        ours = [it for it in found if (it["name"], it["external_id"] or "") == (name, evidence)]
        return min(ours, key=lambda it: int(it["id"]), default=None)


def _batches(documents: list[Document]) -> Iterator[list[Document]]:
    for start in range(0, max(1, len(documents)), _BATCH):
        yield documents[start : start + _BATCH]
