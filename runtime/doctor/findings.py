"""What a check answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `problem` says what to do, None means it is fine."""

    name: str
    problem: str | None = None
    is_fatal: bool = True
    """Whether Siyu cannot work so; otherwise it is worth knowing."""

    @property
    def is_bad(self) -> bool:
        """Whether it has to be mended."""
        return self.problem is not None and self.is_fatal
