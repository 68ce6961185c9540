"""What the loops need of the world, as protocols that adapters satisfy."""

from ml_gitops.ports.forge import Changes, Forge, ForgeRelease, Tag
from ml_gitops.ports.world import (
    Bentos,
    Clock,
    FrameWarehouse,
    KeptRun,
    Progress,
    Records,
    Repository,
    Warehouse,
    Workspace,
)

__all__ = [
    "Bentos",
    "Changes",
    "Clock",
    "Forge",
    "ForgeRelease",
    "FrameWarehouse",
    "KeptRun",
    "Progress",
    "Records",
    "Repository",
    "Tag",
    "Warehouse",
    "Workspace",
]
