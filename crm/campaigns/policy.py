"""What may be done with a campaign in which state."""

from crm.campaigns.errors import AlreadyLaunchedError, InvalidCampaignError, NotADraftError, NotPossibleNowError
from crm.campaigns.types import Campaign, CampaignStatus
from crm.kit.text import clean_text

_MAX_NAME = 120
_DIGITS = 6
MOST_STARS = 10_000_000
_MAX_LATENESS = 7 * 24 * 60


def check_name(name: str) -> str:
    """The name on one line. Raises InvalidCampaignError."""
    cleaned = " ".join(clean_text(name).split())
    if not cleaned or len(cleaned) > _MAX_NAME:
        raise InvalidCampaignError(f"A campaign needs a name of 1 to {_MAX_NAME} characters.")
    return cleaned


def name_of_clone(name: str) -> str:
    """The next name after `name`: `Spring`, `Spring (2)`, `Spring (3)`; cut where it would be too long."""
    base, _, number = name.removesuffix(")").rpartition(" (")
    is_numbered = name.endswith(")") and bool(base) and number.isascii() and number.isdigit() and len(number) < _DIGITS
    suffix = f" ({int(number) + 1})" if is_numbered else " (2)"
    return (base if is_numbered else name)[: _MAX_NAME - len(suffix)] + suffix


def check_cap(stars: int) -> int:
    """Stars that may be spent. Raises InvalidCampaignError."""
    if not 1 <= stars <= MOST_STARS:
        raise InvalidCampaignError(f"stars_cap is between 1 and {MOST_STARS:,} Stars.")
    return stars


def check_lateness(minutes: int) -> int:
    """Minutes a start may be late. Raises InvalidCampaignError."""
    if not 1 <= minutes <= _MAX_LATENESS:
        raise InvalidCampaignError(f"max_lateness_minutes is between 1 and {_MAX_LATENESS} (a week).")
    return minutes


def check_draft(campaign: Campaign) -> None:
    """Raises NotADraftError unless the campaign may still be changed."""
    if campaign.status is not CampaignStatus.DRAFT or campaign.is_archived:
        raise NotADraftError


def check_launchable(campaign: Campaign) -> None:
    """Raises AlreadyLaunchedError or NotPossibleNowError unless the campaign may be launched."""
    if campaign.is_archived:
        raise NotPossibleNowError("The campaign is archived; bring it back before launching it.")
    is_held = campaign.status is CampaignStatus.SCHEDULED and campaign.held_reason is not None
    if campaign.status is not CampaignStatus.DRAFT and not is_held:
        raise AlreadyLaunchedError(f"The campaign is {campaign.status} already; clone it to send it again.")


def check_status(campaign: Campaign, verb: str, *allowed: CampaignStatus) -> None:
    """Raises NotPossibleNowError unless the campaign is in one of the allowed states."""
    if campaign.status not in allowed:
        wanted = " or ".join(allowed)
        raise NotPossibleNowError(f"A campaign that is {campaign.status} cannot be {verb}; it must be {wanted}.")
