"""What can go wrong with a campaign."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class CampaignNotFoundError(NotFoundError):
    """There is no such campaign."""


class InvalidCampaignError(InvalidError):
    """The campaign is not valid."""


class NotADraftError(ConflictError):
    """Only a draft can be changed; clone the campaign to send a changed one."""


class AlreadyLaunchedError(ConflictError):
    """The campaign was launched already."""


class NotPossibleNowError(ConflictError):
    """The campaign is not in a state that allows this."""


class ScheduleInThePastError(InvalidError):
    """The time to launch is in the past; give a later one, or leave it out to launch now."""


class NobodyToReachError(ConflictError):
    """Nobody matches the segment now, so there is nothing to launch."""


class CountNotConfirmedError(InvalidError):
    """This goes to everyone: repeat the launch with confirm_count set to the number of members."""


class NoTestRecipientError(ConflictError):
    """You have no linked chat; link one on the settings page to receive test messages."""
