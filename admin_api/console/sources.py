"""Sources: list, form, detail with addresses, QR codes and figures."""

from typing import Annotated, Any

from fastapi import Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT, public_url
from admin_api.api.sources import NewSource, SourceChange, change_source, create_source
from admin_api.console.forms import Text, Texts, body_of, parts
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.bots import service as bots
from crm.kit.errors import DomainError, NotFoundError
from crm.operators.permissions import Permission
from crm.sources import service
from crm.sources.types import SourceFunnel, SourceKind
from crm.tags import service as tags

router = page_router(f"{ROOT}/sources")
HERE = f"{ROOT}/sources"
_READ, _WRITE = allow(Permission.SOURCES_READ), allow(Permission.SOURCES_WRITE)


class LinkNotFound(NotFoundError):
    """This bot has no address for the source."""


async def _suggestions(edge: Edge) -> list[str]:
    return [tag.label for tag in await tags.listing(edge.session)]


@router.get("", dependencies=[_READ], name="source.list_page")
async def list_page(edge: EdgeOf, with_archived: Annotated[str, Query(max_length=10)] = "") -> Response:
    """Every source with what came of it."""
    return await render(
        edge,
        "sources/list",
        nav="sources",
        sources=await service.listing(edge.session, with_archived=bool(with_archived)),
        funnels=await service.funnels(edge.session),
        nothing=SourceFunnel(),
        with_archived=bool(with_archived),
    )


@router.get("/new", dependencies=[_WRITE], name="source.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """The form of a new source."""
    return await render(
        edge, "sources/new", nav="sources", form={}, kinds=list(SourceKind), tag_suggestions=await _suggestions(edge)
    )


@router.post("", dependencies=[_WRITE], name="source.create_by_form")
async def create(
    edge: EdgeOf,
    *,
    name: Text = "",
    kind: Text = "link",
    tag: Texts = [],  # noqa: B006 - FastAPI copies it
    welcome_zh: Text = "",
    welcome_en: Text = "",
) -> Response:
    """A source with a code that cannot be guessed."""
    typed = {"name": name, "kind": kind, "tags": parts(tag), "welcome": _welcome(welcome_zh, welcome_en)}
    try:
        view = await create_source(edge, body_of(NewSource, **typed))
    except DomainError as error:
        await edge.session.rollback()
        values: dict[str, Any] = {"form": typed, "kinds": list(SourceKind), "tag_suggestions": await _suggestions(edge)}
        return await again(edge, "sources/new", error, nav="sources", **values)
    return redirect(edge, f"{HERE}/{view.source.id}", done="The source is there: hand out its links and codes.")


@router.get("/{source_id}", dependencies=[_READ], name="source.page")
async def source_page(edge: EdgeOf, source_id: IdPath) -> Response:
    """Addresses, codes, figures and the form of one source."""
    values = await _detail(edge, source_id)
    return await render(edge, "sources/detail", nav="sources", form=vars(values["source"]), **values)


async def _detail(edge: Edge, source_id: int) -> dict[str, Any]:
    links = await service.links(edge.session, source_id, public_url=public_url(edge.request))
    return {
        "source": await service.get(edge.session, source_id),
        "links": list({link.url: link for link in reversed(links)}.values())[::-1],
        "counts": await service.counts(edge.session, source_id),
        "funnel": (await service.funnels(edge.session)).get(source_id, SourceFunnel()),
        "bots": {bot.id: bot for bot in await bots.listing(edge.session)},
        "tag_suggestions": await _suggestions(edge),
    }


@router.post("/{source_id}", dependencies=[_WRITE], name="source.change_by_form")
async def change(
    edge: EdgeOf,
    source_id: IdPath,
    *,
    name: Text = "",
    tag: Texts = [],  # noqa: B006 - FastAPI copies it
    welcome_zh: Text = "",
    welcome_en: Text = "",
) -> Response:
    """Another name, tags or welcome; the code stays, because it is printed somewhere."""
    typed = {"name": name, "tags": parts(tag), "welcome": _welcome(welcome_zh, welcome_en)}
    try:
        await change_source(edge, source_id, body_of(SourceChange, **typed))
    except DomainError as error:
        await edge.session.rollback()
        values = await _detail(edge, source_id)
        return await again(edge, "sources/detail", error, nav="sources", form=typed, **values)
    return redirect(edge, f"{HERE}/{source_id}", done="Saved.")


@router.post("/{source_id}/archive", dependencies=[_WRITE], name="source.archive_by_form")
async def archive(edge: EdgeOf, source_id: IdPath, is_archived: Text = "true") -> Response:
    """Count no more, or again."""
    await change_source(edge, source_id, SourceChange(is_archived=is_archived == "true"))
    return redirect(edge, f"{HERE}/{source_id}", done="Saved.")


@router.get("/{source_id}/codes/{bot_id}", dependencies=[_READ], name="source.qr_code")
async def qr_code(
    edge: EdgeOf, source_id: IdPath, bot_id: IdPath, download: Annotated[str, Query(max_length=5)] = ""
) -> Response:
    """The QR code of one bot's address as PNG, large enough for print."""
    found = await service.links(edge.session, source_id, public_url=public_url(edge.request))
    urls = [link.url for link in found if link.bot_id == bot_id]
    if not urls:
        raise LinkNotFound
    name = f"source-{source_id}-bot-{bot_id}.png"
    headers = {"content-disposition": f'{"attachment" if download else "inline"}; filename="{name}"'}
    return Response(service.qr_png(urls[0], scale=16), media_type="image/png", headers=headers)


def _welcome(welcome_zh: str, welcome_en: str) -> dict[str, str]:
    return {locale: text for locale, text in (("zh-CN", welcome_zh), ("en", welcome_en)) if text.strip()}
