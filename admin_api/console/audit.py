"""The audit log: who did what, when, from where."""

import json
from typing import Any

from fastapi import Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.console.forms import address
from admin_api.console.member_frame import actor_names
from admin_api.console.pages import render
from admin_api.deps import EdgeOf
from admin_api.routing import page_router
from admin_api.schemas import Cursor
from crm.audit import service
from crm.audit.types import RecordedEntry
from crm.kit.paging import decode_cursor, encode_cursor
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/settings/audit")
HERE = f"{ROOT}/settings/audit"
_SHOWN = 50
_PLACES = {
    "member": "members",
    "campaign": "campaigns",
    "segment": "segments",
    "tag": "tags",
    "tag_rule": "tag-rules",
    "source": "sources",
    "survey": "surveys",
    "journey": "journeys",
    "ticket": "requests",
    "import": "imports",
    "bot": "settings/bots",
    "webhook": "settings/webhooks",
}


@router.get("", dependencies=[allow(Permission.AUDIT_READ)], name="audit.page")
async def audit_page(edge: EdgeOf, cursor: Cursor = None) -> Response:
    """Entries, newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    found = await service.latest(edge.session, before_id=before, limit=_SHOWN + 1)
    following = address(HERE, cursor=encode_cursor(found[_SHOWN - 1].id)) if len(found) > _SHOWN else ""
    return await render(
        edge,
        "settings/audit",
        nav="settings",
        entries=[_view(item) for item in found[:_SHOWN]],
        actors=await actor_names(edge),
        next_href=following,
        start_href=HERE if cursor else "",
    )


def _view(found: RecordedEntry) -> dict[str, Any]:
    return {**vars(found.entry), "at": found.at, "href": _link(found.entry.subject), "changes": _changes(found)}


def _link(subject: str) -> str:
    kind, _, number = subject.partition(":")
    return f"{ROOT}/{_PLACES[kind]}/{number}" if kind in _PLACES and number.isdecimal() else ""


def _changes(found: RecordedEntry) -> list[tuple[str, str, str]]:
    """Field, before, after; what did not change is left out."""
    before, after = found.entry.before or {}, found.entry.after or {}
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    return [(name, _text(before.get(name)), _text(after.get(name))) for name in names]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:300]
