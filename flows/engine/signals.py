"""What stops a flow from outside. Not `Exception`s: a flow's own error handling must never catch them."""


class Suspended(BaseException):
    """The flow waits for an input; it continues from its journal when one comes."""


class Ended(BaseException):
    """The flow ends here and now, with an outcome for its event."""

    def __init__(self, outcome: str) -> None:
        self.outcome = outcome
        super().__init__(outcome)


class Outdated(BaseException):
    """The flow was edited such that going on would start over past an effect; `done` names what was done."""

    def __init__(self, done: list[str]) -> None:
        self.done = done
        super().__init__(", ".join(done))


class TooManySteps(BaseException):
    """The flow took more steps than one conversation may."""
