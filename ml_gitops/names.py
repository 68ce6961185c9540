"""Names that several rooms must spell alike: of files, of variables, and those that are hidden."""

CONFIG_FILE = "ml-gitops.toml"
LOCK_FILE = "data.lock.json"
MODEL_FILE = "model.onnx"
SIGNATURE_FILE = "signature.json"
PROFILE_FILE = "profile.json"
SERVED_FILE = "served.json"
"""What a Bento knows of its release; the release's own record is `release.json`."""
TRAIN_FILE = "train.parquet"
HOLDOUT_FILE = "holdout.parquet"
CHAMPION_FILE = "champion.onnx"
CHAMPION_SIGNATURE_FILE = "champion-signature.json"
CHAMPION_MISSING_FILE = "champion-missing.txt"
"""Why there is no champion, for checks that ask for one."""
CHECKS_FOLDER = "checks"

ENVIRONMENT_LOCKS = ("requirements.txt", "uv.lock", "poetry.lock", "pylock.toml", "conda-lock.yml")
"""Files at the top of a model's folder that pin what else the author's code imports."""

BOT_LOGIN = "ml-gitops[bot]"
RECORDS_BRANCH = "ml-gitops-records"
"""Not `ml-gitops`: Git cannot hold it beside the bot's branches `ml-gitops/...`."""

LOG_VARIABLE = "ML_GITOPS_LOG"
"""Folder of the prediction log; without it nothing is logged."""
REPLAY_VARIABLE = "ML_GITOPS_REPLAY"
"""Set to anything, history is sent again: times may be of any age."""
RUN_VARIABLE = "ML_GITOPS_RUN"
"""Folder of the run that the checks judge."""
RECORD_VARIABLE = "ML_GITOPS_CHECKS_OUT"
"""Where the record of the checks goes."""
PATH_VARIABLE = "ML_GITOPS_CHECKS_PATH"
"""Folders of the work tree in which the checks look for modules, once they may."""
OUTBOX_VARIABLE = "ML_GITOPS_OUTBOX"
"""Folder from which a job uploads its artifacts."""


def is_hidden(name: str) -> bool:
    """Say whether a file or folder of this name is nobody's source."""
    return name.startswith(".") or name == "__pycache__"


def is_shown(path: str, place: str) -> bool:
    """Say whether a file is a place, or lies below it with nothing hidden between."""
    below = path.removeprefix(f"{place}/")
    return path == place or (below != path and not any(map(is_hidden, below.split("/"))))
