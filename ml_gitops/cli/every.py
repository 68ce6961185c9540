"""`monitor --every-model`: one job looks at each model of a repository; none keeps the others."""

import argparse
from dataclasses import dataclass, field

from ml_gitops.cli.models import work_tree
from ml_gitops.cli.setting import Setting
from ml_gitops.cli.watch import monitor, summarize, tell_watched, watch_model
from ml_gitops.document import Missing
from ml_gitops.errors import EXIT_PASSED, ConfigError, MlGitopsError
from ml_gitops.names import CONFIG_FILE
from ml_gitops.render.observation_body import look_summary
from ml_gitops.render.runner import Annotation
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.cm import Watched
from ml_gitops.workflows.models import Placed, find_models
from ml_gitops.workflows.registry import served

WORST = ("nothing", "watch", "incident", "retrain")


@dataclass
class Seen:
    """What was seen of the models, by their names."""

    watched: dict[str, tuple[Watched, str]] = field(default_factory=dict)
    failed: dict[str, MlGitopsError] = field(default_factory=dict)
    unreleased: list[str] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """Return it as plain values; what is to be trained is one list."""
        told = {name: summarize(one, folder) for name, (one, folder) in self.watched.items()}
        wants = [one.observation.retrain.want for one, _ in self.watched.values()]
        return {
            "models": told,
            "failed": {name: str(error) for name, error in self.failed.items()},
            "unreleased": self.unreleased,
            "calm": not self.failed and all(one["calm"] for one in told.values()),
            "want": max(wants, key=WORST.index, default=WORST[0]),
            "retrain": [it for one in told.values() for it in one["retrain"]],
        }


def monitor_every(parsed: argparse.Namespace) -> int:
    """Look at every model; the only one of a repository is looked at as if it had been named."""
    setting = Setting(parsed)
    top = setting.repository.top
    models = find_models(work_tree(setting.repository))
    if not models:
        raise ConfigError(
            f"there is no {CONFIG_FILE} in this repository",
            hint="make one with `ml-gitops init . --adopt`",
            where=str(top),
        )
    words = vars(parsed) | {"every_model": False, "html": None}
    folders = {one.name: top / one.directory for one in models}
    if len(models) == 1:
        return monitor(argparse.Namespace(**words | {"folder": folders[models[0].name]}))
    seen = Seen()
    for one in models:
        given = words | {"folder": folders[one.name], "outcome": None}
        _look(one, argparse.Namespace(**given), seen)

    def tell(terminal: Terminal) -> None:
        for name, (watched, _) in seen.watched.items():
            terminal.line(f"{name}:")
            tell_watched(terminal, watched)
        for name in seen.unreleased:
            terminal.status("keep", f"{name}: nothing is released yet, so nothing is watched")
        for name, error in seen.failed.items():
            terminal.status("fail", f"{name}: {error}")

    setting.show(
        seen.document(),
        tell,
        summary="\n".join(look_summary(one.observation) for one, _ in seen.watched.values()),
        annotations=[Annotation("error", f"{name}: {it}") for name, it in seen.failed.items()],
    )
    return max((error.exit_code for error in seen.failed.values()), default=EXIT_PASSED)


def _look(model: Placed, parsed: argparse.Namespace, seen: Seen) -> None:
    try:
        setting = Setting(parsed)
        if isinstance(served(setting.forge(), model.config.gate.champion), Missing):
            seen.unreleased.append(model.name)
            return
        seen.watched[model.name] = (watch_model(setting, parsed), model.folder)
    except MlGitopsError as error:
        seen.failed[model.name] = error
