"""Public values of sign-ups."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """What a member agrees to."""

    version: str
    text: str


@dataclass(frozen=True)
class SignUpResult:
    """What finishing sign-up gave; `is_new` False: the member had signed up before, and nothing was given now."""

    points: int
    balance: int
    is_new: bool
    pending: int = 0
    """Points that can be spent later."""
