"""What a runner of GitHub shows beside files: the verdict, failed checks, broken contracts."""

from ml_gitops.data.validation import ValidationReport
from ml_gitops.document import Missing
from ml_gitops.render.runner import Annotation
from ml_gitops.report import Report

MOST = 10
"""GitHub shows no more of a level for one step."""


def violation_annotations(report: ValidationReport, source: str) -> list[Annotation]:
    """Return what breaks the contract, beside the file that the rows come from.

    Args:
        report: what was found.
        source: path of that file.
    """
    return [
        Annotation(
            "error" if one.severity == "error" else "warning", str(one), source, 1, "Contract"
        )
        for one in report.violations[:MOST]
    ]


def report_annotations(report: Report) -> list[Annotation]:
    """Return why a candidate is blocked: the verdict, and each failed check beside its file."""
    if report.verdict != "block":
        return []
    checks = [] if isinstance(report.checks, Missing) else report.checks.outcomes
    failed = [one for one in checks if one.outcome == "failed"]
    return [
        Annotation("error", report.headline, title="Gate"),
        *(
            Annotation("error", one.message, one.nodeid.partition("::")[0], 1, one.name)
            for one in failed[: MOST - 1]
        ),
    ]
