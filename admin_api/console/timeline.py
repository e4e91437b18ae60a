"""A member's events as people read them: a title, a line of detail, an icon."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from admin_api.addresses import ROOT
from admin_api.console.locale import Formats
from admin_api.console.pages import say
from admin_api.edge import Edge
from crm.db import clock
from crm.events.catalogue import CATALOGUE
from crm.events.types import RecordedEvent

_LONGEST = 300


@dataclass(frozen=True)
class Look:
    """How one kind of event is shown; `detail` names fields of its data in braces."""

    icon: str
    tone: str = "neutral"
    detail: str = ""


LOOKS = {
    "member_created": Look("chat", "info", "{channel}"),
    "member_signed_up": Look("success", "success", "{channel}"),
    "member_updated": Look("edit", "neutral", "{changed}"),
    "members_merged": Look("merge", "plum", "Profile {merged_member_id} came in"),
    "merge_undone": Look("merge", "warning", "Profile {merged_member_id} stands alone again"),
    "identity_linked": Look("link", "info", "{channel}"),
    "reachability_changed": Look("bot", "warning", "{reason}"),
    "tag_added": Look("tag", "neutral", "{tag}"),
    "tag_removed": Look("tag", "neutral", "{tag}"),
    "consent_changed": Look("mail", "info", "{topic} · {channel}"),
    "source_touched": Look("sources", "info", ""),
    "checked_in": Look("calendar-check", "success", "Day {streak} in a row"),
    "check_in_made_up": Look("calendar-check", "info", "{local_date}"),
    "streak_saved": Look("calendar-check", "info", "Day {streak} in a row"),
    "milestone_reached": Look("flag", "success", "Day {days} in a row"),
    "points_earned": Look("points", "success", "{points} points, {balance} now"),
    "points_redeemed": Look("loyalty", "plum", "{points} points, {balance} left: {reason}"),
    "points_expired": Look("clock", "warning", "{points} points, {balance} left"),
    "points_adjusted": Look("points", "warning", "{points} points, {balance} now: {reason}"),
    "points_expiring": Look("clock", "warning", "{points} points in {days} days"),
    "points_pending": Look("clock", "info", "{points} points"),
    "pending_points_cancelled": Look("points", "warning", "{points} points: {reason}"),
    "points_held": Look("points", "info", "{points} points: {reason}"),
    "points_released": Look("points", "info", "{points} points: {reason}"),
    "order_refunded": Look("shopping", "warning", "{amount}"),
    "order_placed": Look("shopping", "plum", "{amount}"),
    "survey_started": Look("surveys", "neutral", ""),
    "survey_completed": Look("surveys", "success", ""),
    "flow_started": Look("play", "neutral", "{flow}"),
    "flow_ended": Look("check", "neutral", "{flow} · {outcome}"),
    "keyword_matched": Look("chat", "neutral", "{keyword}"),
    "button_tapped": Look("bolt", "info", "{button}"),
    "person_requested": Look("requests", "warning", ""),
    "journey_entered": Look("journeys", "info", ""),
    "journey_ended": Look("journeys", "neutral", "{outcome}"),
    "draw_played": Look("loyalty", "plum", "Draw {draw_id}, play {position}"),
    "mission_completed": Look("success", "success", "Mission {mission_id}"),
    "badge_earned": Look("heart", "success", "Badge {badge_id}"),
    "voucher_issued": Look("loyalty", "plum", "Coupon {coupon_id}"),
    "voucher_used": Look("success", "success", "Coupon {coupon_id}"),
    "voucher_rolled_back": Look("loyalty", "warning", "Coupon {coupon_id}"),
    "voucher_expired": Look("clock", "warning", "Coupon {coupon_id}"),
    "voucher_expiring": Look("clock", "warning", "Coupon {coupon_id} in {days} days"),
    "voucher_cancelled": Look("loyalty", "neutral", "Coupon {coupon_id}"),
    "reward_redeemed": Look("loyalty", "plum", "Reward {reward_id} for {points} points"),
    "redemption_advanced": Look("loyalty", "info", "Reward {reward_id}: {status}"),
    "redemption_cancelled": Look("loyalty", "warning", "Reward {reward_id}"),
    "tier_changed": Look("loyalty", "plum", "{from_tier} → {to_tier}"),
    "tier_at_risk": Look("clock", "warning", "{tier}: {missing} missing"),
    "referral_joined": Look("group", "info", ""),
    "referral_qualified": Look("success", "success", "Friend no. {count}"),
    "referral_rejected": Look("alert", "warning", "{reason}"),
    "activity_registered": Look("calendar-check", "info", "Activity {activity_id}"),
    "activity_place_given": Look("success", "success", "Activity {activity_id}"),
    "activity_cancelled": Look("calendar-check", "warning", "Activity {activity_id}: {reason}"),
    "activity_reminder_due": Look("clock", "info", "Activity {activity_id}"),
    "activity_attended": Look("success", "success", "Activity {activity_id}"),
    "activity_feedback_due": Look("surveys", "info", "Activity {activity_id}"),
    "custom": Look("bolt", "info", "{name} {properties}"),
}
"""Kinds without a look of their own are shown with their title alone."""
_LINKS = {
    "source_touched": ("sources", "source_id"),
    "survey_completed": ("surveys", "survey_id"),
    "survey_started": ("surveys", "survey_id"),
    "person_requested": ("requests", "ticket_id"),
    "journey_entered": ("journeys", "journey_id"),
    "journey_ended": ("journeys", "journey_id"),
    "voucher_issued": ("coupons", "coupon_id"),
    "voucher_used": ("coupons", "coupon_id"),
    "voucher_rolled_back": ("coupons", "coupon_id"),
    "voucher_expired": ("coupons", "coupon_id"),
    "voucher_expiring": ("coupons", "coupon_id"),
    "voucher_cancelled": ("coupons", "coupon_id"),
    "reward_redeemed": ("rewards", "reward_id"),
    "redemption_advanced": ("rewards", "reward_id"),
    "redemption_cancelled": ("rewards", "reward_id"),
    "members_merged": ("members", "merged_member_id"),
    "merge_undone": ("members", "merged_member_id"),
}
WORDS = {
    "web_chat": "Web chat",
    "webchat": "Web chat",
    "telegram": "Telegram",
    "news": "News",
    "finished": "Finished",
    "cancelled": "Cancelled",
    "timed_out": "Timed out",
    "failed": "Failed",
    "completed": "Finished",
    "blocked": "Blocked by the member",
    "prepared": "Prepared",
    "shipped": "Shipped",
    "delivered": "Handed over",
    "sign_up": "Sign-up",
    "check_in": "Check-in",
    "points": "Points",
    "survey": "Survey",
    "menu": "Menu",
    "help": "Help",
    "language": "Language",
    "profile": "Profile",
    "display_name": "Name",
    "time_zone": "Time zone",
    "birthday": "Birthday",
    "locale": "Language",
    "phone": "Phone",
    "email": "Email",
}


async def items(edge: Edge, events: Sequence[RecordedEvent], formats: Formats) -> list[dict[str, Any]]:
    """The events for the timeline component, in their order."""
    now = await clock.now(edge.session)
    return [
        {
            **_looks(edge, event, formats),
            "at": event.occurred_at.isoformat(),
            "at_label": formats.moment(event.occurred_at)
            if _is_old(event, now)
            else formats.ago(event.occurred_at, now),
        }
        for event in events
    ]


def _is_old(event: RecordedEvent, now: Any) -> bool:
    return bool((now - event.occurred_at).days)


def _looks(edge: Edge, event: RecordedEvent, formats: Formats) -> dict[str, Any]:
    look = LOOKS.get(event.kind, Look("bolt"))
    kind = CATALOGUE.get(event.kind)
    title = say(edge, kind.title if kind else event.kind)
    if event.kind in {"consent_changed", "reachability_changed"}:
        title = _turned(edge, event)
    return {
        "title": title,
        "icon": look.icon,
        "tone": look.tone,
        "detail": _detail(edge, look, event, formats),
        "href": _link(event),
    }


def _turned(edge: Edge, event: RecordedEvent) -> str:
    """The title of an event that goes one way or the other."""
    if event.kind == "consent_changed":
        return say(edge, "Agreed to messages" if event.data.get("is_given") else "Wants no more messages")
    return say(edge, "Can be reached again" if event.data.get("is_reachable") else "Cannot be reached any more")


def _detail(edge: Edge, look: Look, event: RecordedEvent, formats: Formats) -> str:
    text = say(edge, look.detail)
    for name, value in event.data.items():
        if f"{{{name}}}" in text:
            text = text.replace(f"{{{name}}}", _value(edge, name, value, event, formats), 1)
    return text[:_LONGEST]


def _value(edge: Edge, name: str, value: Any, event: RecordedEvent, formats: Formats) -> str:
    match value:
        case str() if name == "amount":
            return formats.money(float(value), str(event.data.get("currency")))
        case list():
            return ", ".join(_word(edge, str(item)) for item in value)
        case dict():
            return json.dumps(value, ensure_ascii=False) if value else ""
        case int() if name in {"points", "balance", "streak"}:
            return formats.number(value)
    return "" if value is None else _word(edge, str(value))


def _word(edge: Edge, value: str) -> str:
    return say(edge, WORDS[value]) if value in WORDS else value


def _link(event: RecordedEvent) -> str:
    place, field = _LINKS.get(event.kind, ("", ""))
    return f"{ROOT}/{place}/{event.data[field]}" if place and isinstance(event.data.get(field), int) else ""
