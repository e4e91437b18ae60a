"""What is printed while the day is played."""

import html
import re

from rich.console import Console
from rich.text import Text


class StepFailed(Exception):
    """A step did not do what it must; the message says which and why."""


class Script:
    """Prints the conversation as it happens, and counts what was verified."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self.verified = 0

    def title(self, text: str) -> None:
        """A new part of the day."""
        self._out.print(f"\n{text}", style="bold", markup=False)

    def member(self, text: str) -> None:
        """What the member says or taps."""
        self._out.print(Text.assemble(("  member  ", "cyan"), text))

    def bot(self, text: str) -> None:
        """What the bot answers."""
        plain = html.unescape(re.sub(r"<[^>]+>", "", text))
        for number, line in enumerate(plain.splitlines() or [""]):
            self._out.print(Text.assemble(("  bot     " if number == 0 else "          ", "green"), line))

    def operator(self, text: str) -> None:
        """What the operator does through the API."""
        self._out.print(Text.assemble(("  operator  ", "magenta"), text))

    def verify(self, is_true: bool, text: str) -> None:
        """One verified step. Raises StepFailed."""
        if not is_true:
            raise StepFailed(text)
        self.verified += 1
        self._out.print(Text.assemble(("  ✓ ", "green"), text))

    def failed(self, text: str) -> None:
        """The day ended early."""
        self._out.print(f"\nNot verified: {text}", style="red", markup=False)

    def done(self) -> None:
        """The day is over."""
        self._out.print(f"\n{self.verified} steps verified.", style="bold green", markup=False)
