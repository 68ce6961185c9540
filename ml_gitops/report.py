"""Everything a reviewer must know of a candidate, as one document with one verdict."""

from typing import ClassVar, Literal

from ml_gitops.checks import CheckOutcomes
from ml_gitops.data.lock import DataLock, Split
from ml_gitops.data.validation import ValidationReport
from ml_gitops.document import Digest, Document, Missing
from ml_gitops.model.comparison import Comparison
from ml_gitops.model.gate import GateVerdict
from ml_gitops.serving.parity import ParityReport

ReportVerdict = Literal["pass", "warn", "block"]


class Report(Document):
    """The report of a candidate. It renders to the terminal, Markdown, HTML and JSON.

    Attributes:
        model, about, run_key: what was trained.
        model_digest, model_bytes: the ONNX file.
        judged_against: digest of what the judgement stands on besides the run: the
            champion, the policy and the checks.
        champion_bytes: size of the champion's ONNX file, for the ratio.
        lock: the rows it was made from.
        base_lock: the rows that the base branch has locked.
        split, train_rows, holdout_rows: what it learned from and was judged on.
        validation, parity, comparison, gate, checks: what each step found.
        changed: inputs that differ from the champion's, by name.
        differences: the same, each with what exactly differs.
        gate_changes: what this change alters in the gate that judges it.
        fit_seconds, cpu_seconds: what the training cost.
    """

    file_name: ClassVar[str] = "report.json"

    model: str
    about: str
    run_key: Digest
    model_digest: Digest
    model_bytes: int
    judged_against: Digest
    champion_bytes: int | None
    lock: DataLock
    base_lock: DataLock | Missing
    split: Split
    train_rows: int
    holdout_rows: int
    validation: ValidationReport
    parity: ParityReport
    comparison: Comparison
    gate: GateVerdict
    checks: CheckOutcomes | Missing
    changed: tuple[str, ...]
    differences: tuple[str, ...] = ()
    gate_changes: tuple[str, ...] = ()
    fit_seconds: float
    cpu_seconds: float

    @property
    def failed_checks(self) -> int:
        """How many of the author's checks failed."""
        return 0 if isinstance(self.checks, Missing) else self.checks.count("failed")

    @property
    def verdict(self) -> ReportVerdict:
        """The gate's verdict, unless a check failed."""
        return "block" if self.failed_checks else self.gate.verdict

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        if not self.failed_checks:
            return self.gate.headline
        failed = "1 check fails" if self.failed_checks == 1 else f"{self.failed_checks} checks fail"
        gate = self.gate.headline
        if self.gate.verdict == "block":
            return f"{gate}; {failed}, too"
        return f"Blocked: {failed}; the gate alone {gate[0].lower()}{gate[1:]}"

    @property
    def metrics(self) -> dict[str, float]:
        """The candidate's metrics, by name."""
        return {name: one.value for name, one in self.comparison.candidate.metrics.items()}
