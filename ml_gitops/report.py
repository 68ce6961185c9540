"""Everything a reviewer must know of a candidate, as one document with one verdict."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from ml_gitops.checks import CheckOutcomes
from ml_gitops.data.lock import DataLock, Split
from ml_gitops.data.schema import Window
from ml_gitops.data.validation import ValidationReport
from ml_gitops.document import Digest, Document, Missing, Part, canonical_json, sha256
from ml_gitops.errors import DocumentError, MlGitopsError
from ml_gitops.model.comparison import Comparison
from ml_gitops.model.gate import WORDS, GateVerdict, GateWord, judge
from ml_gitops.model.lineage import short
from ml_gitops.model.policy import GatePolicy
from ml_gitops.model.run import Run, run_name
from ml_gitops.names import MODEL_FILE
from ml_gitops.serving.parity import ParityReport

_AGAIN = "run `ml-gitops train` again; no verdict is believed that does not follow from its run"


class Standing(Part):
    """What a judgement stands on besides the run: by whom, by which rules, by which tests.

    Attributes:
        champion: digest of the release it was compared with, or of why there is none.
        gate: digest of the policy.
        checks: digest of the author's checks and of pytest's settings.
        product: version of this product.
    """

    champion: Digest
    gate: Digest
    checks: Digest
    product: str

    def differences(self, now: "Standing") -> list[str]:
        """Name what has become another since; the product's version alone is no reason."""
        names = {"champion": "champion", "gate": "gate", "checks": "checks"}
        return [word for key, word in names.items() if getattr(self, key) != getattr(now, key)]


class Basis(Part):
    """What a judgement was made from besides the run; where any of it differs, it is made again.

    Attributes:
        standing: champion, gate and checks.
        base_lock: the rows that the base branch has locked.
        gate_changes: how the gate differs from the base branch's.
        check_changes: how the checks differ from the base branch's.
    """

    standing: Standing
    base_lock: DataLock | Missing
    gate_changes: tuple[str, ...] = ()
    check_changes: tuple[str, ...] = ()


class Report(Document):
    """The report of a candidate. It renders to the terminal, Markdown, HTML and JSON.

    Attributes:
        model, about, run_key: what was trained.
        model_digest, model_bytes: the ONNX file.
        basis: what the judgement was made from besides the run.
        champion_bytes: size of the champion's ONNX file, for the ratio.
        lock: the rows it was made from.
        split, train_rows, holdout_rows: what it learned from and was judged on.
        validation, parity, comparison, gate, checks: what each step found.
        changed: inputs that differ from the champion's, by name.
        differences: the same, each with what exactly differs.
        fit_seconds, cpu_seconds: what the training cost.
        sample: whether it was judged on the sample, which lets nothing pass.
    """

    file_name: ClassVar[str] = "report.json"

    model: str
    about: str
    run_key: Digest
    model_digest: Digest
    model_bytes: int
    basis: Basis
    champion_bytes: int | None
    lock: DataLock
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
    fit_seconds: float
    cpu_seconds: float
    sample: bool = False

    @property
    def failed_checks(self) -> int:
        """How many of the author's checks failed."""
        return 0 if isinstance(self.checks, Missing) else self.checks.count("failed")

    @property
    def verdict(self) -> GateWord:
        """The gate's verdict, unless a check failed; on a sample nothing passes."""
        word: GateWord = "block" if self.failed_checks else self.gate.verdict
        return "warn" if self.sample and word == "pass" else word

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in one sentence."""
        return f"{self._seen}{self._reason}"

    @property
    def _seen(self) -> str:
        """Which rows were judged on, if not the real ones."""
        rows = self.train_rows + self.holdout_rows
        return f"judged on the sample of {rows:,} rows, not on the real data; " * self.sample

    @property
    def _reason(self) -> str:
        if not self.failed_checks:
            return self.gate.reason
        failed = "1 check fails" if self.failed_checks == 1 else f"{self.failed_checks} checks fail"
        if self.gate.verdict == "block":
            return f"{self.gate.reason}; {failed}, too"
        word = WORDS[self.gate.verdict].lower()
        return f"{failed}; the gate alone {word}: {self.gate.reason}"

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        return f"{WORDS[self.verdict]}: {self.reason}"

    @property
    def metrics(self) -> dict[str, float]:
        """The candidate's metrics, by name."""
        return {name: one.value for name, one in self.comparison.candidate.metrics.items()}


class TrainingRecord(Document):
    """What the record branch keeps of a training that was reported on: once, for good.

    Attributes:
        run: what went in, what came out, what it cost.
        window: the days whose rows it used.
        pull_request: where its report stands.
        champion: what it was compared with; missing with the reason.
        verdict, headline, metrics: what was said of it.
    """

    model: str
    run: Run
    window: Window
    pull_request: int
    champion: str | Missing
    verdict: GateWord
    headline: str
    metrics: dict[str, float]

    @classmethod
    def of(cls, run: Run, report: Report, pull_request: int) -> "TrainingRecord":
        """Return the record of a run and its report."""
        return cls(
            model=report.model,
            run=run,
            window=report.lock.window,
            pull_request=pull_request,
            champion=report.comparison.champion,
            verdict=report.verdict,
            headline=report.headline,
            metrics=report.metrics,
        )


def policy_digest(policy: GatePolicy) -> str:
    """Return the digest of a gate's policy."""
    return sha256(canonical_json(policy.model_dump(mode="json")).encode())


def files_digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of everything that a reviewer approves of: the run, and its report."""
    return sha256(canonical_json({name: sha256(it) for name, it in files.items()}).encode())


def artifact_name(model: str, run_key: str, content: str) -> str:
    """Return the name under which a forge keeps a run as it was reported on.

    The content is in it: no other report of an equal run takes its place.

    Args:
        content: digest of its files.
    """
    return f"{run_name(model, run_key)}-{short(content)}"


def no_newer_rows(model: str) -> str:
    """Return the name under which a job leaves word that it had nothing new to train on."""
    return f"{model}-no-newer-rows"


def verify_report(
    files: Mapping[str, bytes], run: Run, policy: GatePolicy, *, where: str
) -> Report:
    """Read the report that lies beside a run, and believe of it only what cannot be known again.

    What the run's own files say is held to them. The verdict follows from the numbers: it is
    computed again, if the report was made with the policy at hand.

    Args:
        files: name to content, held to the run's digests already.
        run: the run they belong to.
        policy: the gate.
        where: where they come from, for the message.

    Raises:
        DocumentError: there is none, or it speaks of something else.
    """
    content = files.get(Report.file_name)
    if content is None:
        raise DocumentError("the run has no report", hint=_AGAIN, where=where)
    report = Report.from_json(content, where=f"{where}/{Report.file_name}")
    for what, said, known in _held(report, run, files):
        if said != known:
            raise DocumentError(f"the report speaks of another {what}", hint=_AGAIN, where=where)
    if report.basis.standing.gate != policy_digest(policy):
        return report
    try:
        gate = judge(report.comparison, policy)
    except (MlGitopsError, LookupError, ArithmeticError, ValueError) as error:
        # Others may have written these numbers: they need not hold together.
        problem = f"the report cannot be judged again ({type(error).__name__}: {error})"
        raise DocumentError(problem, hint=_AGAIN, where=where) from None
    if (gate.verdict, gate.outcome) != (report.gate.verdict, report.gate.outcome):
        raise DocumentError(
            f"the report says {report.gate.verdict!r}, and its numbers say {gate.verdict!r}",
            hint=_AGAIN,
            where=where,
        )
    return report.model_copy(update={"gate": gate})


def _held(
    report: Report, run: Run, files: Mapping[str, bytes]
) -> Iterator[tuple[str, object, object]]:
    """Yield what is spoken of, what the report says of it, and what the run's files say."""
    yield "model", (report.model, report.model_digest), (run.model, run.model_digest)
    yield "source of rows", report.sample, run.sample
    yield "model", report.model_bytes, len(files[MODEL_FILE])
    yield "run", report.run_key, run.run_key
    rows = (report.split, report.train_rows, report.holdout_rows)
    yield "split", rows, (run.split, run.train_rows, run.holdout_rows)
    yield "cost", (report.fit_seconds, report.cpu_seconds), (run.fit_seconds, run.cpu_seconds)
    parts = (
        ("data lock", report.lock),
        ("validation", report.validation),
        ("parity", report.parity),
        ("evaluation", report.comparison.candidate),
    )
    for what, part in parts:
        yield what, part.to_json().encode(), files.get(part.file_name)
