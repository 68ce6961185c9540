"""`data lock`, `data validate`, `train`, `report`: the commands of a pull request."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from ml_gitops.cli.setting import Setting
from ml_gitops.config import Config
from ml_gitops.data.lock import DataLock
from ml_gitops.errors import (
    EXIT_FAILED,
    EXIT_PASSED,
    DataError,
    ForgeError,
    GitError,
    TrainingError,
)
from ml_gitops.model.lineage import short
from ml_gitops.pull_request import PullRequest
from ml_gitops.render.annotations import report_annotations, violation_annotations
from ml_gitops.render.ci_report import in_words, to_markdown
from ml_gitops.render.numbers import count, duration, size
from ml_gitops.render.report_page import to_html
from ml_gitops.render.terminal import Terminal
from ml_gitops.report import Report, artifact_name, files_digest, no_newer_rows
from ml_gitops.workflows.ci import Trained, judged_report, lock_data, publish, validate_data
from ml_gitops.workflows.ci import train as train_candidate
from ml_gitops.workflows.committed import require_committed
from ml_gitops.workflows.status import silence


def lock(parsed: argparse.Namespace) -> int:
    """Pin the window of rows."""
    setting = Setting(parsed)
    until = parsed.until or setting.today()
    with setting.terminal as terminal:
        made, changed = lock_data(setting.config, setting.workspace, terminal, until)

    def tell(terminal: Terminal) -> None:
        word = "locked" if changed else "already locked"
        terminal.status(
            "pass" if changed else "keep",
            f"{word} {count(made.rows, 'row')} of {made.window}, {short(made.digest)}",
        )
        if made.window.until < until:
            last = made.window.until - timedelta(days=1)
            # Without a day on the command line nobody thought that there were more.
            terminal.status(
                "warn" if parsed.until else "info",
                f"the last row is of {last}; later days have no rows yet and are not locked",
            )

    setting.show({"lock": made, "changed": changed, "asked": until}, tell)
    return EXIT_PASSED


def validate(parsed: argparse.Namespace) -> int:
    """Hold the locked rows to the contract."""
    setting = Setting(parsed)
    with setting.terminal as terminal:
        config = _config(setting, parsed)
        with _told_strangers(config, parsed):
            report = validate_data(
                config, setting.workspace, terminal, parsed.until, setting.today()
            )

    def tell(terminal: Terminal) -> None:
        if report.violations:
            terminal.table(
                ["severity", "column", "problem", "rows"],
                [
                    [
                        one.severity,
                        one.column or "(table)",
                        one.problem + (f" ({', '.join(one.examples)})" if one.examples else ""),
                        f"{one.rows:,}",
                    ]
                    for one in report.violations
                ],
                align=["left", "left", "left", "right"],
            )
        for one in report.violations:
            if one.remedy:
                terminal.line(f"  {one.column}: {one.remedy}")
        held = "keep the contract" if report.passed else "break the contract"
        terminal.status(
            "pass" if report.passed else "fail",
            f"{count(report.rows, 'row')} of {report.window} {held}",
        )

    source = config.data.source.partition(":")[0]
    outcome = {**report.model_dump(mode="json"), "passed": report.passed}
    setting.show(outcome, tell, annotations=violation_annotations(report, source))
    return EXIT_PASSED if report.passed else EXIT_FAILED


def train(parsed: argparse.Namespace) -> int:
    """Train and judge; nothing if nothing changed."""
    setting = Setting(parsed)
    with setting.terminal as terminal:
        if parsed.until:
            made, newer = lock_data(setting.config, setting.workspace, terminal, parsed.until)
            if parsed.leave and not newer:
                return _leave_lock(setting, parsed.leave, made)
        config = _config(setting, parsed)
        with _told_strangers(config, parsed):
            trained = train_candidate(
                config, setting.workspace, setting.forge_if_any(), setting.warehouse, terminal
            )
    for name, content in trained.kept.files.items() if parsed.leave else ():
        setting.write(parsed.leave / name, content)

    def tell(terminal: Terminal) -> None:
        _tell_trained(terminal, trained)
        _tell_unpushed(terminal, setting)

    setting.show(
        _summary(trained),
        tell,
        summary=to_markdown(trained.report),
        annotations=report_annotations(trained.report),
    )
    return EXIT_FAILED if trained.report.verdict == "block" else EXIT_PASSED


def _config(setting: Setting, parsed: argparse.Namespace) -> Config:
    return setting.config.on_sample() if parsed.sample else setting.config


@contextmanager
def _told_strangers(config: Config, parsed: argparse.Namespace) -> Iterator[None]:
    """Tell whoever has no credentials, and no sample either, what may have been missing."""
    try:
        yield
    except (DataError, TrainingError) as error:
        if parsed.sample and not config.sampled:
            error.hint += (
                "; if the rows need credentials, which forks and Dependabot do not get: name in "
                "[data] a `sample` of rows that need none"
            )
        raise


def _leave_lock(setting: Setting, folder: Path, lock: DataLock) -> int:
    """Leave the lock alone to a job that asked for newer rows where there are none."""
    setting.write(folder / lock.file_name, lock.to_json())
    left = no_newer_rows(setting.config.model.name)
    text = f"there are no newer rows than those locked, {lock.window}: nothing to train"
    setting.show(
        {"verdict": None, "fitted": False, "artifact": left, "lock": lock},
        lambda terminal: terminal.status("keep", text),
    )
    return EXIT_PASSED


def report(parsed: argparse.Namespace) -> int:
    """Show the report; post it on the pull request of the branch."""
    if parsed.event:
        from ml_gitops.cli.publish import publish as publish_left

        return publish_left(parsed)
    setting = Setting(parsed)
    trained = judged_report(setting.config, setting.workspace, setting.forge_if_any())
    if parsed.html:
        setting.write(parsed.html, to_html(trained.report))
    number, posted = _post(setting, trained, parsed.pull_request)

    def tell(terminal: Terminal) -> None:
        _tell_report(terminal, trained.report)
        if number is not None:
            terminal.line()
            terminal.status("pass" if posted else "keep", f"report on pull request #{number}")
        if parsed.html:
            terminal.line(f"The full report is in {parsed.html}")
        if number is None:
            _tell_unpushed(terminal, setting)

    setting.show({**_summary(trained), "pull_request": number, "posted": posted}, tell)
    return EXIT_FAILED if trained.report.verdict == "block" else EXIT_PASSED


def _post(setting: Setting, trained: Trained, asked: int | None) -> tuple[int | None, bool]:
    """Post the report, on the pull request asked for or the branch's own."""
    forge = setting.forge_if_any()
    if forge is None:
        if asked is not None:
            raise ForgeError("there is no forge", hint="leave --pull-request out")
        return None, False
    number = asked
    if number is None:
        branch = setting.repository.branch()
        open_ones = [one for one in forge.pull_requests() if one.state == "open"]
        number = next((one.number for one in open_ones if one.branch == branch), None)
    if number is None:
        return None, False
    _require_same_commit(setting, forge.pull_request(number))
    records = setting.records()
    note = silence(setting.config, forge, records, setting.today())
    _, posted = publish(forge, records, trained.left, number, note=note)
    return number, posted


def _require_same_commit(setting: Setting, reviewed: PullRequest) -> None:
    """Refuse to report on a pull request what is not in it."""
    hint = "commit, push and train; only what is in the pull request is reported on it"
    require_committed(setting.config, setting.workspace, setting.repository, hint=hint)
    if setting.repository.head() != reviewed.head:
        raise GitError(
            f"the work tree is not at the head of #{reviewed.number} ({reviewed.head[:12]})",
            hint=f"push the branch, or run `git switch {reviewed.branch}`",
        )


def _summary(trained: Trained) -> dict[str, object]:
    run = trained.run
    return {
        "run": run,
        "fitted": trained.fitted,
        "judged": trained.judged,
        "verdict": trained.report.verdict,
        "headline": trained.report.headline,
        "metrics": trained.report.metrics,
        "folder": trained.kept.place,
        "artifact": artifact_name(run.model, run.run_key, files_digest(trained.kept.files)),
    }


def _tell_trained(terminal: Terminal, trained: Trained) -> None:
    run = trained.run
    if trained.fitted:
        told = (
            f"fitted on {count(run.train_rows, 'row')} in {duration(run.fit_seconds)}, "
            f"ONNX {size(trained.report.model_bytes)}, run {short(run.run_key)}"
        )
        terminal.status("pass", told)
    else:
        terminal.status(
            "keep", f"nothing to fit: run {short(run.run_key)} of the locked rows is here already"
        )
    _tell_report(terminal, trained.report)


def _tell_report(terminal: Terminal, report: Report) -> None:
    # The mark says the first word of the headline already.
    terminal.status(report.verdict, report.reason)
    terminal.line()
    told = in_words(report)
    terminal.show((*told.evidence, *told.checks))


def _tell_unpushed(terminal: Terminal, setting: Setting) -> None:
    """Say what nobody else can see yet; where there is no forge, nobody would look."""
    commits = setting.repository.unpushed() if setting.forge_path else 0
    if commits:
        told = "is not pushed" if commits == 1 else "are not pushed"
        terminal.line()
        terminal.line(
            f"{count(commits, 'commit')} of this branch {told}: run `git push`, or "
            "`ml-gitops pr open` to propose a new branch."
        )
