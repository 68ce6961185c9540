"""The one comment that shows a report on a pull request."""

from ml_gitops.ports import Forge
from ml_gitops.pull_request import Comment, Facts, Kind, Marker, PullRequest, signed_text
from ml_gitops.report import Report

REPORT_KIND: Kind = "report"


def report_marker(
    model: str, run_key: str = "", content: str = "", facts: Facts | None = None
) -> Marker:
    """Return what the report on a pull request is found by.

    Args:
        run_key: of the run that it covers; empty if it is to cover none.
        content: digest of the files that it speaks of.
        facts: what it says, for machines.
    """
    return Marker(kind=REPORT_KIND, model=model, fingerprint=run_key, content=content, facts=facts)


def facts_of(report: Report) -> Facts:
    """Return what a report says, for machines."""
    return Facts(verdict=report.verdict, window=str(report.lock.window), run_key=report.run_key)


def noted(body: str, note: str) -> str:
    """Return a report with a note of ours at its end; the same report, if there is none."""
    return f"{body}\n\n▲ {note}." if note else body


def post(forge: Forge, number: int, body: str, marker: Marker) -> tuple[Comment | None, bool]:
    """Show a report on a pull request, once.

    Args:
        number: the pull request.
        body: the report as Markdown.
        marker: what it is found by.

    Returns:
        The comment, and whether it was written or changed.
    """
    text = signed_text(body, marker)
    reports = _posted_reports(forge.pull_request(number), marker.model)
    said = None if reports else forge.comment(number, text)
    if said is not None:
        reports = _posted_reports(forge.pull_request(number), marker.model) or [(said, marker)]
    # Runs at once may each have posted one: no forge keeps them from it. The first stays.
    for extra, _ in reports[1:]:
        forge.delete_comment(number, extra.number)
    comment, _ = reports[0]
    if comment.body == text:
        return comment, said is not None
    forge.edit_comment(number, comment.number, text)
    return comment, True


def posted_report(pull_request: PullRequest, model: str) -> tuple[Comment, Marker] | None:
    """Return a model's report on a pull request, and its marker: run key and files."""
    return next(iter(_posted_reports(pull_request, model)), None)


def _posted_reports(pull_request: PullRequest, model: str) -> list[tuple[Comment, Marker]]:
    found = [(it, Marker.find(it.body)) for it in pull_request.comments if it.author.bot]
    return [
        (comment, marker)
        for comment, marker in found
        if marker is not None and (marker.kind, marker.model) == (REPORT_KIND, model)
    ]
