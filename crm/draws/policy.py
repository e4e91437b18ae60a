"""Pure decisions about draws: what makes sense, who may play, which chances there are."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from crm.draws.errors import DrawAccess, DrawEmpty, DrawEnded, DrawNotOpen, DrawNotYet, InvalidDraw
from crm.draws.fairness import MILLION
from crm.draws.types import Chances, Draw, DrawKind, DrawStatus, NewDraw, Prize, PrizeKind, Rules, Terms
from crm.kit.errors import DomainError
from crm.kit.localized import clean_names, clean_texts
from crm.points.types import MAX_POINTS
from crm.profiles.types import Profile, Stage

MAX_PRIZES, MAX_STOCK, MAX_PACKETS, MAX_CHANCES, MAX_DESCRIPTION = 20, 1_000_000_000, 1_000_000, 1000, 1000
EARNED_KINDS = frozenset(
    {
        *{"member_signed_up", "checked_in", "survey_completed", "order_placed", "referral_qualified"},
        *{"reward_redeemed", "voucher_used"},
    }
)
"""Events that can earn chances; missions give them too."""
_PERCENT = MILLION // 100


@dataclass(frozen=True)
class Used:
    """What a member has used and holds; `day` is the local day that the daily numbers are of."""

    day: date
    free: int = 0
    bought: int = 0
    extra: int = 0


def check_new(new: NewDraw) -> NewDraw:
    """`new` with cleaned texts. Raises InvalidDraw."""
    return replace(
        new,
        name=check_name(new.name, "a draw"),
        description=check_description(new.description),
        rules=check_rules(new.rules),
        terms=check_terms(new.terms),
    )


def check_name(name: dict[str, str], what: str) -> dict[str, str]:
    """Names by locale. Raises InvalidDraw."""
    cleaned = clean_names(name)
    if not cleaned:
        raise InvalidDraw(f"{what} needs a name in at least one language", path="name")
    return cleaned


def check_description(description: dict[str, str]) -> dict[str, str]:
    """Descriptions by locale. Raises InvalidDraw."""
    cleaned = clean_texts(description)
    if any(len(text) > MAX_DESCRIPTION for text in cleaned.values()):
        raise InvalidDraw(f"a description has at most {MAX_DESCRIPTION} characters", path="description")
    return cleaned


def percent(odds: int) -> str:
    """Millionths as people write them."""
    return f"{Decimal(odds) / _PERCENT:f}"


def percents(rules: Rules) -> list[str]:
    """The odds of each prize in per cent; what the others leave is the last prize's."""
    odds = [prize.odds for prize in rules.prizes[:-1]]
    return [percent(share) for share in (*odds, MILLION - sum(odds))] if rules.prizes else []


def check_rules(rules: Rules) -> Rules:
    """Raises InvalidDraw unless every result is defined."""
    if rules.kind is DrawKind.PACKETS:
        if rules.prizes:
            raise InvalidDraw("red packets have points and packets, no prizes", path="prizes")
        if not 1 <= rules.packets <= MAX_PACKETS or not rules.packets <= rules.points <= MAX_POINTS:
            raise InvalidDraw("red packets need 1 to 1000000 packets, and at least a point for each", path="packets")
        return rules
    if rules.points or rules.packets:
        raise InvalidDraw("a lucky draw has prizes; points and packets belong to red packets", path="points")
    if not 2 <= len(rules.prizes) <= MAX_PRIZES:  # noqa: PLR2004 - one prize and the fallback
        raise InvalidDraw(
            f"a lucky draw has 2 to {MAX_PRIZES} prizes, the last of which is the fallback", path="prizes"
        )
    prizes = tuple(_checked_prize(prize) for prize in rules.prizes)
    _check_fallback(prizes[-1])
    if any(not 1 <= prize.odds <= MILLION for prize in prizes[:-1]):
        raise InvalidDraw("the odds of a prize are 1 to 1000000 millionths", path="prizes")
    if sum(prize.odds for prize in prizes[:-1]) > MILLION:
        raise InvalidDraw("the odds of all prizes are more than 100 %", path="prizes")
    return replace(rules, prizes=prizes)


def _checked_prize(prize: Prize) -> Prize:
    if (prize.kind is PrizeKind.POINTS) != (prize.points != 0) or not 0 <= prize.points <= MAX_POINTS:
        raise InvalidDraw("a prize of points names 1 to 1000000000 of them, and no other prize does", path="prizes")
    if (prize.kind is PrizeKind.COUPON) != (prize.coupon_id is not None):
        raise InvalidDraw("a coupon as a prize names its coupon, and no other prize does", path="prizes")
    if prize.stock is not None and not 1 <= prize.stock <= MAX_STOCK:
        raise InvalidDraw("the stock of a prize is a whole number from 1 on, or empty for no limit", path="prizes")
    return replace(prize, name=check_name(prize.name, "a prize"))


def _check_fallback(prize: Prize) -> None:
    if prize.kind not in {PrizeKind.POINTS, PrizeKind.NOTHING} or prize.stock is not None or prize.odds:
        raise InvalidDraw(
            "the last prize is the fallback: points or nothing, without stock and odds; it takes what the others leave"
        )


def check_terms(terms: Terms) -> Terms:
    """Raises InvalidDraw."""
    numbers = (terms.free_per_day, terms.bought_per_day, *terms.earned_by.values())
    if any(not 0 <= number <= MAX_CHANCES for number in numbers):
        raise InvalidDraw(f"chances are 0 to {MAX_CHANCES}")
    if terms.price is not None and not 1 <= terms.price <= MAX_POINTS:
        raise InvalidDraw("a chance costs 1 to 1000000000 points, or is not sold", path="price")
    unknown = sorted(set(terms.earned_by) - EARNED_KINDS)
    if unknown:
        raise InvalidDraw(
            f"{unknown[0]!r} earns no chances; events that do: {', '.join(sorted(EARNED_KINDS))}", path="earned_by"
        )
    if not set(terms.stages) <= {stage.value for stage in Stage}:
        raise InvalidDraw("stages are lead, new, repeat, loyal, at_risk, churned and won_back", path="stages")
    if not 0 <= terms.minimum_orders <= MAX_STOCK:
        raise InvalidDraw("the least number of orders is a whole number from 0 on", path="minimum_orders")
    times = [at for at in (terms.starts_at, terms.ends_at) if at is not None]
    if any(at.tzinfo is None for at in times):
        raise InvalidDraw("starts_at and ends_at need a time zone, such as 2026-03-01T00:00:00+08:00")
    if terms.starts_at is not None and terms.ends_at is not None and terms.ends_at <= terms.starts_at:
        raise InvalidDraw("the end must be later than the start", path="ends_at")
    return terms


def obstacle(draw: Draw, profile: Profile, now: datetime) -> DomainError | None:
    """The first reason why the member cannot play now, chances aside; None: they can."""
    terms = draw.terms
    is_other = (
        (bool(terms.tiers) and profile.tier not in terms.tiers)
        or (bool(terms.stages) and str(profile.stage) not in terms.stages)
        or profile.orders_count < terms.minimum_orders
    )
    obstacles: tuple[tuple[bool, DomainError], ...] = (
        (draw.status is DrawStatus.DRAFT, DrawNotOpen()),
        (draw.status is DrawStatus.CLOSED, DrawEnded()),
        (terms.starts_at is not None and now < terms.starts_at, DrawNotYet(starts_at=terms.starts_at)),
        (terms.ends_at is not None and now >= terms.ends_at, DrawEnded(ended_at=terms.ends_at)),
        (is_other, DrawAccess()),
        (draw.rules.kind is DrawKind.PACKETS and draw.stand.packets == 0, DrawEmpty()),
    )
    return next((error for holds, error in obstacles if holds), None)


def on_day(used: Used, today: date) -> Used:
    """What counts today: daily numbers begin anew with a later day, and never with an earlier one."""
    return Used(today, extra=used.extra) if today > used.day else used


def chances(terms: Terms, used: Used) -> Chances:
    """What is left of a day."""
    for_sale = 0 if terms.price is None else max(0, terms.bought_per_day - used.bought)
    return Chances(max(0, terms.free_per_day - used.free), used.extra, for_sale, terms.price)
