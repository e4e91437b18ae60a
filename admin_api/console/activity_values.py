"""Activities in forms and on pages: what was typed as bodies of the API, and back."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from admin_api.api.activities import ActivityBody, ActivityTermsBody
from admin_api.console import typed
from admin_api.console.forms import body_of, parts
from admin_api.console.loyalty_forms import Text, as_fields, filled, in_locale, texts
from admin_api.console.pages import formats_of
from admin_api.edge import Edge
from crm.activities.types import Activity
from crm.segments import service as segments
from crm.surveys import service as surveys
from crm.surveys.types import SurveyStatus

_TEXTS = ("name", "description", "place")
_MOMENTS = ("starts_at", "ends_at", "opens_at", "closes_at")
_HOURS = ("cancel_hours", "feedback_hours")


class ActivityForm(BaseModel):
    """As it was typed."""

    name_zh: Text = ""
    name_en: Text = ""
    description_zh: Text = ""
    description_en: Text = ""
    place_zh: Text = ""
    place_en: Text = ""
    starts_at: Text = ""
    ends_at: Text = ""
    opens_at: Text = ""
    closes_at: Text = ""
    capacity: Text = ""
    has_waiting_list: bool = False
    points: Text = ""
    tiers: Text = ""
    segment_ids: list[Text] = []
    cancel_hours: Text = "24"
    reminder_hours: Text = "24, 2"
    survey_id: Text = ""
    feedback_hours: Text = "2"


async def body(edge: Edge, form: ActivityForm, photo_media_id: UUID | None = None) -> ActivityBody:
    """What the API takes; the picture stays. Raises InvalidForm, WrongMomentError."""
    given = form.model_dump()
    terms = body_of(
        ActivityTermsBody,
        **{name: await typed.moment(edge, given[name]) for name in _MOMENTS},
        **filled(given, "capacity", "survey_id"),
        has_waiting_list=form.has_waiting_list,
        points=form.points.strip() or 0,
        tiers=parts([form.tiers]),
        segment_ids=form.segment_ids,
        reminder_hours=parts([form.reminder_hours]),
        **{name: given[name].strip() or 0 for name in _HOURS},
    )
    named = {name: texts(given, name) for name in _TEXTS}
    return body_of(ActivityBody, **named, terms=terms, photo_media_id=photo_media_id)


async def form_of(edge: Edge, activity: Activity) -> dict[str, Any]:
    """A stored activity as its form shows it."""
    formats, terms = await formats_of(edge), activity.terms
    named: dict[str, str] = {}
    for name in _TEXTS:
        named |= as_fields(name, getattr(activity, name))
    return {
        **named,
        **{name: formats.field(getattr(terms, name)) for name in _MOMENTS},
        "capacity": terms.capacity or "",
        "has_waiting_list": terms.has_waiting_list,
        "points": terms.points or "",
        "tiers": ", ".join(terms.tiers),
        "segment_ids": [str(segment_id) for segment_id in terms.segment_ids],
        "reminder_hours": ", ".join(str(hours) for hours in terms.reminder_hours),
        "survey_id": terms.survey_id or "",
        **{name: getattr(terms, name) for name in _HOURS},
    }


async def survey_options(edge: Edge) -> list[dict[str, Any]]:
    """The surveys that can ask how it was."""
    found = await surveys.listing(edge.session, status=SurveyStatus.PUBLISHED)
    return [{"value": item.id, "label": item.name} for item in found]


async def segment_options(edge: Edge, chosen: Iterable[int] = ()) -> list[dict[str, Any]]:
    """The segments that are in use, and those that were chosen before; values are texts, as forms have them."""
    found = (await segments.listing(edge.session, limit=200)).items
    known = {item.id for item in found}
    found += [await segments.get(edge.session, segment_id) for segment_id in chosen if segment_id not in known]
    return [{"value": str(item.id), "label": item.name} for item in found]


def title(edge: Edge, activity: Activity) -> str:
    """The name in the operator's language."""
    return in_locale(edge.acting, activity.name)
