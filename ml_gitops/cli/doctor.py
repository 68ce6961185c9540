"""`doctor`: which token is in use, what follows from it, and what the repository leaves open."""

import argparse

from ml_gitops.cli.setting import Setting
from ml_gitops.cli.tell import tell_findings
from ml_gitops.errors import EXIT_FAILED, EXIT_PASSED
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.doctor import diagnose


def doctor(parsed: argparse.Namespace) -> int:
    """Hold token and settings of the forge to what the loops need."""
    setting = Setting(parsed)
    forge = setting.forge()
    findings = diagnose(forge.account, forge.rules(), forge.default_branch)
    failed = any(one.state == "fail" for one in findings)

    def tell(terminal: Terminal) -> None:
        terminal.line(forge.address)
        terminal.line()
        tell_findings(terminal, findings)

    setting.show({"forge": forge.address, "findings": findings, "passed": not failed}, tell)
    return EXIT_FAILED if failed else EXIT_PASSED
