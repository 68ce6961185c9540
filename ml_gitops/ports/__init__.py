"""What the loops need of the world, as protocols that adapters satisfy."""

from ml_gitops.account import Account, ForgeRules
from ml_gitops.ports.forge import Changes, Forge, ForgeRelease, Tag
from ml_gitops.ports.world import (
    Bentos,
    Clock,
    Files,
    FrameWarehouse,
    KeptRun,
    Progress,
    Records,
    Repository,
    Warehouse,
    Workspace,
)

__all__ = [
    "Account",
    "Bentos",
    "Changes",
    "Clock",
    "Files",
    "Forge",
    "ForgeRelease",
    "ForgeRules",
    "FrameWarehouse",
    "KeptRun",
    "Progress",
    "Records",
    "Repository",
    "Tag",
    "Warehouse",
    "Workspace",
]
