"""What can be wrong with tiers."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class ProgrammeNotFound(NotFoundError):
    """There is no such version of the tier programme."""


class InvalidProgramme(InvalidError):
    """The tier programme is not valid."""


class UnknownTier(InvalidError):
    """There is no such tier."""


class InvalidGrant(InvalidError):
    """A grant needs a reason and an end in the future, at most five years on."""


class NoGrant(ConflictError):
    """The member has no tier by hand that could be ended."""


class NoProgramme(ConflictError):
    """There is no live tier programme yet; publish one first."""


class ProgrammeNotDraft(ConflictError):
    """Only a draft can be published; save the programme again to make one."""
