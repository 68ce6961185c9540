"""How a ref moves: from one object to another, or not at all."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RefMove:
    """A ref to move from one object to another; None is a ref that is not there."""

    ref: str
    old: str | None
    new: str | None

    def render(self) -> str:
        """Return what `git update-ref --stdin -z` reads."""
        if self.old is None:
            return f"create {self.ref}\0{self.new}\0"
        if self.new is None:
            return f"delete {self.ref}\0{self.old}\0"
        return f"update {self.ref}\0{self.new}\0{self.old}\0"
