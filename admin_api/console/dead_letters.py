"""Dead letters: what was given up and why; replay, discard, reveal."""

from typing import Annotated

from fastapi import Form, Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import dead_letters as api
from admin_api.console.forms import address
from admin_api.console.pages import redirect, render
from admin_api.deps import EdgeOf
from admin_api.routing import page_router
from crm.jobs import dead
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/settings/dead-letters")
HERE = f"{ROOT}/settings/dead-letters"
_READ, _WRITE = allow(Permission.DEAD_LETTERS_READ), allow(Permission.DEAD_LETTERS_WRITE)
_REVEAL = allow(Permission.DEAD_LETTERS_REVEAL)
_SHOWN = 100
Box = Annotated[str, Query(max_length=40)]
Posted = Annotated[str, Form(max_length=40)]
Key = Annotated[str, Form(max_length=300)]


@router.get("", dependencies=[_READ], name="dead_letter.page")
async def list_page(edge: EdgeOf, box: Box = "updates") -> Response:
    """Those of one kind, with the numbers of the others."""
    return await _page(edge, box)


@router.post("/replay", dependencies=[_WRITE], name="dead_letter.replay_by_form")
async def replay(edge: EdgeOf, box: Posted, key: Key = "") -> Response:
    """One, or all when none is named."""
    if key:
        await api.replay(edge, box, key)
    else:
        await api.replay_all(edge, box)
    return redirect(edge, address(HERE, box=box), done="It is tried again at once.")


@router.post("/discard", dependencies=[_WRITE], name="dead_letter.discard_by_form")
async def discard(edge: EdgeOf, box: Posted, key: Key) -> Response:
    """Never try it again."""
    await api.discard(edge, box, key)
    return redirect(edge, address(HERE, box=box), done="It is discarded.")


@router.post("/reveal", dependencies=[_REVEAL], name="dead_letter.reveal_by_form")
async def reveal(edge: EdgeOf, box: Posted, key: Key) -> Response:
    """The page with what this one carries; the audit log says who looked."""
    found = await api.reveal(edge, box, key)
    return await _page(edge, box, revealed_key=key, payload=found.payload)


async def _page(edge: EdgeOf, box: str, *, revealed_key: str = "", payload: str = "") -> Response:
    chosen = dead.box(box)
    return await render(
        edge,
        "settings/dead_letters",
        nav="settings",
        box=chosen.name,
        counts={name: await item.count(edge.session) for name, item in dead.boxes().items()},
        letters=await chosen.listing(edge.session, limit=_SHOWN),
        revealed_key=revealed_key,
        payload=payload,
    )
