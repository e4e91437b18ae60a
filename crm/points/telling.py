"""What members are told of a rule: the brand's own words, else what the kind says and what its terms add."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.text import counted
from crm.points import deciding, earning_rules
from crm.points.kinds import kind_named, kinds
from crm.points.starting import Act, Starting
from crm.points.terms import Audience, Terms, terms_of
from crm.points.types import EarningRule, WayToEarn
from crm.profiles import service as profiles

_CHINESE = "zh-CN"


async def how_to_earn(session: AsyncSession, locale: str, member_id: int | None = None) -> list[WayToEarn]:
    """What the rules in force now give, told in `locale`, in the order of their creation.

    Rules for some members only are told to those members alone.
    """
    rules = await earning_rules.in_force(session, list(kinds()), await clock.now(session))
    told = [(rule, words(rule, locale)) for rule in await _for(session, rules, member_id)]
    return [WayToEarn(rule.kind, text) for rule, text in told if text]


def words(rule: EarningRule, locale: str) -> str:
    """One sentence, empty when members are not told. A formula can only be told in the brand's own words."""
    terms = terms_of(rule.terms)
    own = terms.told.get(locale) or terms.told.get("en" if locale != _CHINESE else locale)
    if own:
        return own
    kind = kind_named(rule.kind)
    parameters = kind.parameters.model_validate(rule.parameters)
    told = kind.explain(parameters, locale)
    if told is None or terms.formula or terms.when:
        return ""
    added = [*_added(terms, is_chinese=locale == _CHINESE), *_later(parameters, is_chinese=locale == _CHINESE)]
    if not added:
        return told
    return f"{told}（{'，'.join(added)}）" if locale == _CHINESE else f"{told} ({', '.join(added)})"


async def _for(session: AsyncSession, rules: Sequence[EarningRule], member_id: int | None) -> list[EarningRule]:
    limited = {rule.id for rule in rules if terms_of(rule.terms).audience != Audience()}
    if not limited:
        return list(rules)
    profile = None if member_id is None else await profiles.get(session, member_id)
    return [
        rule
        for rule in rules
        if rule.id not in limited or (profile is not None and deciding.fits(terms_of(rule.terms).audience, profile))
    ]


def _later(starting: Starting, *, is_chinese: bool) -> list[str]:
    found = []
    if starting.active_after_days is not None:
        found.append(f"{starting.active_after_days} 天后" if is_chinese else f"{starting.active_after_days} days")
    if starting.act is Act.ORDER:
        found.append("下次下单后" if is_chinese else "your next order")
    if not found:
        return []
    return [f"{'或'.join(found)}可用" if is_chinese else f"to spend after {' or '.join(found)}"]


def _added(terms: Terms, *, is_chinese: bool) -> list[str]:
    found = []
    if terms.is_once:
        found.append("仅一次" if is_chinese else "once")
    if terms.windows:
        most = f"{max(window.multiplier for window in terms.windows).normalize():f}"
        found.append(f"指定时段 {most} 倍" if is_chinese else f"times {most} at certain times")
    if terms.birthday_multiplier is not None:
        times = f"{terms.birthday_multiplier.normalize():f}"
        found.append(f"生日 {times} 倍" if is_chinese else f"times {times} around your birthday")
    if terms.caps.member_day is not None:
        day = terms.caps.member_day
        found.append(f"每天最多 {day} 积分" if is_chinese else f"at most {counted(day, 'point')} a day")
    return found
