"""What can be wrong with referrals."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError, UnavailableError


class ReferralProgrammeNotFound(NotFoundError):
    """There is no such referral programme."""


class ReferralNotFound(NotFoundError):
    """There is no such referral."""


class ReferralCodeNotFound(NotFoundError):
    """There is no personal link with this code."""


class OwnReferralCode(ConflictError):
    """Nobody can invite themselves."""


class FriendKnown(ConflictError):
    """This member was here before; only somebody new can be brought by a friend, within a minute."""


class NoReferralProgramme(ConflictError):
    """No referral programme runs at present, or whoever invited is no longer a member."""


class InvalidReferralProgramme(InvalidError):
    """The programme's details are not valid."""


class ReferralProgrammesOverlap(ConflictError):
    """Another programme runs at the same time; end it first, or choose other dates."""


class NotInReview(ConflictError):
    """This referral does not wait for a decision."""


class ReasonMissing(InvalidError):
    """Give a reason of 1 to 200 characters."""


class SubtreeTooLarge(ConflictError):
    """Too many referrals hang below this member; take back below their invitees first."""


class NoAddress(UnavailableError):
    """No bot has a public address that could carry a personal link; give a bot a username."""


class PosterUnavailable(UnavailableError):
    """Posters cannot be drawn: the font is missing. Run the build of the assets."""
