"""The report of a candidate: a reviewer with two minutes reads it from the top and can stop."""

import io
import re
from datetime import date
from typing import Any

import numpy as np
import pytest

from ml_gitops.checks import CheckOutcome, CheckOutcomes
from ml_gitops.data.lock import DataLock, Split
from ml_gitops.data.schema import Window
from ml_gitops.data.validation import ValidationReport
from ml_gitops.document import Missing, sha256
from ml_gitops.model.comparison import Comparison, compare
from ml_gitops.model.evaluation import Answers, Importance, evaluate
from ml_gitops.model.gate import judge
from ml_gitops.model.metrics import METRICS
from ml_gitops.model.policy import GatePolicy
from ml_gitops.pull_request import LONGEST_TEXT
from ml_gitops.render import report_page
from ml_gitops.render.blocks import write_blocks
from ml_gitops.render.ci_report import in_words, to_markdown
from ml_gitops.render.page import set_on_page
from ml_gitops.render.terminal import Terminal
from ml_gitops.report import Basis, Report, Standing
from ml_gitops.serving.parity import compare_answers
from tests.snapshots import assert_reads

DIGEST = sha256(b"rows")
START, CUT, UNTIL = date(2024, 1, 1), date(2024, 2, 16), date(2024, 3, 1)
POLICY = GatePolicy(metric="log_loss", secondary=("roc_auc",), slices=("plan",))
ROWS = 2800


def compared(
    *, noise: float = 0.0, rival: float = 0.0, shy: bool = False, columns: int = 1
) -> Comparison:
    """Compare two models of the same signal, each with its own noise, over fourteen days.

    Args:
        noise, rival: how far the candidate's and the champion's scores are off.
        shy: the candidate never says yes.
        columns: how many of them are sliced, into three plans each.
    """
    random = np.random.default_rng(3)
    signal = random.normal(size=ROWS)
    target = (random.random(ROWS) < 1 / (1 + np.exp(-signal))).astype(int)
    scores = [1 / (1 + np.exp(-signal + off * random.normal(size=ROWS))) for off in (noise, rival)]
    if shy:
        scores[0] = scores[0] * 0.49
    candidate, champion, dummy = (
        Answers("binary", ("0", "1"), np.column_stack([1 - one, one]))
        for one in (*scores, np.full(ROWS, 0.5))
    )
    slices = {
        f"plan{place or ''}": np.array([f"p{(n + place) % 3}" for n in range(ROWS)])
        for place in range(columns)
    }
    importances = (
        Importance(feature="load", value=0.21, standard_error=0.01),
        Importance(feature="plan", value=1.18e-18, standard_error=2.66e-19),
        Importance(feature="wear", value=-0.003, standard_error=0.00002),
    )
    rows: Any = {"holdout_digest": DIGEST, "slices": slices, "days": np.arange(ROWS) % 14}
    return compare(
        target,
        candidate,
        champion,
        dummy,
        primary="log_loss",
        champion_name="churn@v1.0.0",
        evaluation=evaluate(target, candidate, importances=importances, **rows),
        **rows,
    )


def report(comparison: Comparison | None = None, **changes: Any) -> Report:
    """Make a report; the gate judges the comparison."""
    made = comparison or compared(rival=1.0)
    lock = DataLock(
        source="model/data.py:load",
        window=Window(start=START, until=UNTIL),
        rows=9200,
        digest=DIGEST,
        schema_digest=DIGEST,
    )
    usual: dict[str, Any] = {
        "model": "churn",
        "about": "Whether a customer leaves",
        "run_key": DIGEST,
        "model_digest": DIGEST,
        "model_bytes": 8200,
        "basis": basis(lock),
        "champion_bytes": 16400,
        "lock": lock,
        "split": Split(
            train=Window(start=START, until=CUT), holdout=Window(start=CUT, until=UNTIL)
        ),
        "train_rows": 6400,
        "holdout_rows": ROWS,
        "validation": ValidationReport(window=lock.window, rows=9200, columns=6, violations=()),
        "parity": compare_answers(np.array([[0.5, 0.5]]), np.array([[0.4999999, 0.5000001]])),
        "comparison": made,
        "gate": judge(made, POLICY),
        "checks": CheckOutcomes(outcomes=(passed("Plans are answered."),)),
        "changed": ("hyper-parameters",),
        "differences": ("hyper-parameters: trees 300 → 5",),
        "fit_seconds": 1.0,
        "cpu_seconds": 3.0,
    }
    return Report(**{**usual, **changes})


def basis(base: DataLock, **changes: Any) -> Basis:
    """Return what a judgement was made from, beside a base branch that has locked these rows."""
    standing = Standing(champion=DIGEST, gate=DIGEST, checks=DIGEST, product="1.0.0")
    return Basis(standing=standing, base_lock=base, **changes)


def passed(about: str) -> CheckOutcome:
    """Return a check that passed."""
    return CheckOutcome(nodeid="checks/test_it.py::test_it", about=about, outcome="passed")


def failed(about: str, message: str) -> CheckOutcome:
    """Return a check that failed."""
    return CheckOutcome(
        nodeid="checks/test_it.py::test_it", about=about, outcome="failed", message=message
    )


def row_of(text: str, start: str) -> str:
    """Return the one line that starts so."""
    (line,) = (line for line in text.splitlines() if line.startswith(start))
    return line


def test_the_verdict_leads_and_says_how_far() -> None:
    """Title, verdict with its numbers, then what was changed to get there."""
    title, _, headline, _, differs, *_ = to_markdown(report()).splitlines()

    assert title == "## ✓ `churn` may merge"
    assert headline.startswith("**Passes: log loss is better by 0.")
    assert headline.endswith("on 2,800 rows of 14 days**")
    assert differs == "**What differs from `churn@v1.0.0`:** hyper-parameters: trees 300 → 5."


@pytest.mark.parametrize(
    ("name", "made"), [("better", compared(rival=1.0)), ("worse", compared(noise=0.9))]
)
def test_a_report_reads_the_same_on_every_surface(name: str, made: Comparison) -> None:
    """Markdown and the terminal say the words that are kept; a page is set from the Markdown."""
    told = report(made)

    out = io.StringIO()
    blocks = in_words(told)
    Terminal(out=out, width=80).show((*blocks.evidence, *blocks.checks))

    assert_reads(f"report-{name}.md", to_markdown(told))
    assert_reads(f"report-{name}.txt", out.getvalue())
    html, at = report_page.to_html(told), 0
    for part in (blocks.verdict, blocks.main, in_words(told, whole=True).details):
        at = html.index(set_on_page(part), at)


def test_what_blocks_is_named_before_the_numbers() -> None:
    """Slices and secondary metrics that are worse come with their loss, what blocks first."""
    text = to_markdown(report(compared(noise=0.9)))

    above = text.partition("| metric |")[0]
    assert text.startswith("## ✗ `churn` should not merge\n\n**Blocked: log loss is worse by 0.")
    assert "- ✗ slices worse than is allowed: plan p0 by 0." in above
    assert "- ▲ metrics worse than is allowed: ROC AUC by 0." in above
    assert above.index("✗ slices") < above.index("▲ metrics")
    assert "**Next:** do not merge." in text


def test_a_change_of_its_own_rules_stands_first() -> None:
    """What a change does to the gate and the checks that judge it stands under the verdict."""
    made = report()
    altered = basis(made.lock, gate_changes=("margin 0.01 → 0.5",), check_changes=("test_a: gone",))

    parts = to_markdown(report(basis=altered)).split("\n\n")

    assert parts[2].endswith("alters the gate that judges it:**\n- margin 0.01 → 0.5")
    assert parts[3].endswith("\n- test\\_a: gone")


def test_the_rows_that_move_are_named() -> None:
    """The lock of the default branch stands beside that of the change; else both are the same."""
    made = report()
    shorter = Window(start=START, until=CUT)
    older = made.lock.model_copy(update={"window": shorter, "rows": 6400, "digest": sha256(b"")})

    moved = to_markdown(report(basis=basis(older)))

    assert "locked: 6,400 rows of 2024-01-01..2024-02-16 → 9,200 rows of 2024-01-01.." in moved
    assert "locked: 9,200 rows of 2024-01-01..2024-03-01, as on the default" in to_markdown(made)


def test_every_row_has_one_precision_and_a_word() -> None:
    """Value, change and both ends have four decimals; the word says what the interval shows."""
    text = to_markdown(report())

    cells = row_of(text, "| **log loss** |").split("|")[2:-1]
    numbers = [part for cell in cells[:-1] for part in cell.replace("to", " ").split()]
    assert [len(one.partition(".")[2]) for one in numbers] == [4] * 5
    assert cells[-1].strip() == "better"
    assert "-0." not in text, "a minus of a number is a true minus"


def test_a_slice_that_is_too_small_to_judge_is_called_neither_better_nor_worse() -> None:
    """The table, the list of what got worse and the note say that it is too small to tell."""
    policy = POLICY.model_copy(update={"slice_min_rows": 934})
    for made in (compared(rival=1.0), compared(noise=0.9)):
        text = to_markdown(report(made, gate=judge(made, policy)))

        words = [row_of(text, f"| plan p{n} |").split("|")[-2].strip() for n in range(3)]
        assert words[1:] == ["too small to tell"] * 2
        assert words[0] in ("better", "worse")
        assert "; 2 too small to tell\n" in row_of(text, "- slices: ") + "\n"
        assert "\nA slice that is too small to tell was not judged; " in text


def test_too_few_days_tell_nothing_in_any_row() -> None:
    """Where the verdict says that it cannot be judged, no metric is called better or worse."""
    made = compared(noise=0.9)
    unsure = report(made, gate=judge(made, POLICY.model_copy(update={"minimum_days": 15})))

    text = to_markdown(unsure)

    assert unsure.gate.outcome == "cannot tell"
    assert row_of(text, "| **log loss** |").endswith("| cannot tell |")
    assert "- metrics: none beyond its 90% interval; 9 cannot be told" in text


def test_a_metric_that_cannot_be_computed_says_why() -> None:
    """Precision keeps its row where nothing was predicted positive."""
    alone = compared(shy=True)
    text = to_markdown(report(alone))

    row = row_of(text, "| precision |")
    assert "| undefined | – | no row is predicted to be of class 1 |" in row
    nobody = Missing(reason="nothing serves production yet")
    first = alone.model_copy(update={"champion": nobody, "baseline": nobody, "changes": ()})
    row = row_of(to_markdown(report(first)), "| precision |")
    assert row == "| precision | undefined | no row is predicted to be of class 1 |"


def test_power_speaks_of_what_is_independent() -> None:
    """Days are what is needed more of, where days are independent; else rows."""
    by_day = compared(noise=0.2, rival=0.2)
    difference = by_day.changes[0].difference.model_copy(update={"days": None})
    first = by_day.changes[0].model_copy(update={"difference": difference})
    by_row = by_day.model_copy(update={"changes": (first, *by_day.changes[1:])})

    days, rows = (to_markdown(report(one)) for one in (by_day, by_row))

    assert "\nWith 14 days of holdout, a candidate that is worse by 0." in days
    assert "\nWith 2,800 rows of holdout, a candidate that is worse by 0." in rows


def test_what_rows_cannot_tell_is_said_with_what_would() -> None:
    """An inconclusive verdict says how many days would settle it, above the folds."""
    unsure = report(compared(noise=1.0, rival=1.0))

    above = to_markdown(unsure).partition("<details>")[0]

    assert unsure.gate.outcome == "cannot tell"
    assert "log loss may be worse: " in above
    assert re.search(r"on 2,800 rows of 14 days; about \d+ days would tell", above)


def test_a_better_model_still_says_what_it_costs() -> None:
    """Metrics, slices and answers that got worse are said, and so is that none did."""
    good, bad = (to_markdown(report(one)) for one in (None, compared(noise=0.9)))

    assert "- metrics: none beyond its 90% interval\n- slices: none beyond" in good
    assert "- metrics: log loss 0." in bad
    assert ", and 5 more\n- slices: plan p0 0." in bad
    assert "- answers, cut at one half: " in bad


def test_failed_checks_are_named_with_their_reason() -> None:
    """Each has its sentence and why; alone they block, beside the gate they are counted."""
    checks = CheckOutcomes(
        outcomes=(passed("A."), failed("Rain makes late.", "(0.19 - 0.17) > 0.05"))
    )

    alone = to_markdown(report(checks=checks))
    beside = to_markdown(report(compared(noise=0.9), checks=checks))

    assert "**Blocked: 1 check fails; the gate alone passes: log loss is better by 0." in alone
    assert "; 1 check fails, too**" in beside
    for text in (alone, beside):
        assert "**Checks:** 1 passed, 1 failed.\n- ✗ Rain makes late: (0.19 - 0.17)" in text


def test_the_cases_of_one_check_can_be_told_apart() -> None:
    """Three cases of one sentence carry the case that pytest ran them for."""
    one = CheckOutcome(nodeid="a.py::test_b[EWR]", about="It ranks well.", outcome="passed")

    assert one.name == "It ranks well [EWR]"
    assert CheckOutcome(nodeid="a.py::test_b[EWR]", outcome="passed").name == "a.py::test_b [EWR]"


def test_an_importance_of_nothing_is_zero() -> None:
    """What arithmetic leaves of a zero is 0; what four decimals cannot show is said to be small."""
    text = to_markdown(report())

    assert "| plan | 0 | 0 |" in text
    assert "| wear | −0.0030 | <0.0001 |" in text


def test_the_floor_of_a_regression_is_its_mean() -> None:
    """A regression is held to a model that always answers the mean, in the target's units."""
    random = np.random.default_rng(5)
    signal = random.normal(size=400)
    target = 1000 + 100 * signal
    made, dummy = (
        Answers("regression", values=values)
        for values in (target + random.normal(size=400), np.full(400, target.mean()))
    )
    policy = GatePolicy()

    alone = Missing(reason="nothing serves production yet")
    text = judge(
        compare(target, made, alone, dummy, primary="rmse", holdout_digest=DIGEST), policy
    ).headline

    assert " of a model that always answers the mean, better by " in text
    assert METRICS["rmse"].text(1234.5, beside=1234.5) == "1,234.5"


@pytest.mark.parametrize("columns", [1, 40])
def test_a_comment_fits_however_much_there_is_to_say(columns: int) -> None:
    """With hundreds of slices and failed checks no table is cut in the middle, and each says so."""
    checks = CheckOutcomes(outcomes=tuple(failed(f"Check {n}.", "x" * 300) for n in range(160)))
    changes = tuple(f"code: model/part{n}.py changed" for n in range(5))
    made = compared(noise=0.9, columns=columns)

    long = report(made, checks=checks, differences=changes)
    text, whole = to_markdown(long), write_blocks(in_words(long, whole=True).details)

    assert len(text) < LONGEST_TEXT
    assert text.endswith("</details>")
    assert text.count("`ml-gitops report --html FILE` has all.*") == (1 if columns == 1 else 3)
    assert "- and 150 more, listed below" in text
    assert len(re.findall(r"\| plan\d* p\d ", whole)) == len(made.slices)
    assert "more; `ml-gitops" not in whole
