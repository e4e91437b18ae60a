"""What can be wrong with members."""

from crm.kit.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError


class MemberNotFound(NotFoundError):
    """There is no such member."""


class IdentityNotFound(NotFoundError):
    """There is no such channel account."""


class MemberGone(ConflictError):
    """This profile was merged into another one or erased; it cannot be changed."""


class MemberChanged(ConflictError):
    """The member was changed meanwhile; load it again and repeat the change."""


class InvalidMember(InvalidError):
    """The member's details are not valid."""


class InvalidPhone(InvalidError):
    """This is not a phone number that can be called; enter it with its country code, such as +86 138 0013 8000."""


class InvalidEmail(InvalidError):
    """This is not an e-mail address; it looks like name@example.org."""


class UnknownTimeZone(InvalidError):
    """This time zone is not known; use an IANA name such as Asia/Shanghai."""


class UnknownLocale(InvalidError):
    """This language is not one that the brand speaks."""


class UnknownAttribute(InvalidError):
    """This attribute is not defined; define it in the settings first."""


class InvalidAttribute(InvalidError):
    """The attribute does not take this value."""


class AttributeTaken(ConflictError):
    """An attribute with this key exists already."""


class MergeImpossible(ConflictError):
    """These profiles cannot be merged."""


class MergeNotFound(NotFoundError):
    """There is no such merge."""


class MergeUndone(ConflictError):
    """This merge was undone already."""


class AddressTaken(ConflictError):
    """Another member owns this channel address."""


class InvalidLinkCode(InvalidError):
    """This code is not valid (any more); ask for a new one on the other channel."""


class SameAccount(ConflictError):
    """This code was made in this very chat; type it in the other one."""


class TooManyTries(ForbiddenError):
    """Too many wrong codes; wait ten minutes and ask for a new one."""
