"""`doctor`: which token is in use, what follows from it, and what the repository leaves open."""

import argparse
from typing import TYPE_CHECKING

from ml_gitops.cli.setting import Setting
from ml_gitops.cli.tell import tell_findings
from ml_gitops.errors import EXIT_FAILED, EXIT_PASSED, ConfigError
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.doctor import diagnose, diagnose_pulse
from ml_gitops.workflows.finding import Finding
from ml_gitops.workflows.status import read_pulse

if TYPE_CHECKING:
    from ml_gitops.ports import Forge


def doctor(parsed: argparse.Namespace) -> int:
    """Hold token and settings of the forge to what the loops need."""
    setting = Setting(parsed)
    forge = setting.forge()
    findings = diagnose(forge.account, forge.rules(), forge.default_branch)
    findings += _of_the_monitor(setting, forge)
    failed = any(one.state == "fail" for one in findings)

    def tell(terminal: Terminal) -> None:
        terminal.line(forge.address)
        terminal.line()
        tell_findings(terminal, findings)

    setting.show({"forge": forge.address, "findings": findings, "passed": not failed}, tell)
    return EXIT_FAILED if failed else EXIT_PASSED


def _of_the_monitor(setting: Setting, forge: "Forge") -> list[Finding]:
    """Say whether the monitor still lives; nothing where no single sound model is meant."""
    try:
        config = setting.config
    except ConfigError:
        return []
    today = setting.today()
    return diagnose_pulse(read_pulse(config, forge, setting.records(), today), today)
