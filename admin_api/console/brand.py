"""The brand's settings, and its logo."""

from datetime import time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from fastapi import File, Form, Response, UploadFile

from admin_api.access import allow, public
from admin_api.addresses import ROOT
from admin_api.api.brand import changed
from admin_api.console import pictures
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.routing import page_router
from crm.brand import service
from crm.brand.types import FrequencyCap, QuietHours, Shortfall
from crm.kit.errors import DomainError, InvalidError, NotFoundError
from crm.kit.localized import LOCALES
from crm.media import service as media
from crm.operators.permissions import Permission

router = page_router()
HERE = f"{ROOT}/settings/brand"
Text = Annotated[str, Form(max_length=5000)]
Switch = Annotated[bool, Form()]


class LogoNotFoundError(NotFoundError):
    """The brand has no logo."""


class OutreachBoundsError(InvalidError):
    """Quiet hours look like 22:00 and 08:00; a cap is a number of messages in a number of days."""


class PointValueError(InvalidError):
    """What a point is worth is an amount such as 0.05; leave it empty when there is none yet."""


@router.get("/logo", dependencies=[public()], name="brand.logo")
async def logo(edge: EdgeOf) -> Response:
    """The brand's logo, for the frame and the sign-in page."""
    brand = await service.get(edge.session)
    if brand.logo_media_id is None:
        raise LogoNotFoundError
    content_type, data = await media.read(edge.session, brand.logo_media_id)
    return Response(data, media_type=content_type, headers=pictures.KEPT_A_DAY)


@router.get("/settings/brand", dependencies=[allow(Permission.BRAND_READ)], name="brand.page")
async def brand_page(edge: EdgeOf) -> Response:
    """Name, logo, time zone, currency, languages, terms, bounds of outreach."""
    return await render(edge, "settings/brand", nav="settings", form=await service.get(edge.session))


@router.post("/settings/brand", dependencies=[allow(Permission.BRAND_WRITE)], name="brand.change")
async def change_brand(
    edge: EdgeOf,
    *,
    name: Text = "",
    time_zone: Text = "",
    currency: Text = "",
    default_locale: Text = "",
    has_zh: Switch = False,
    has_en: Switch = False,
    embed_origins: Text = "",
    quiet_start: Text = "",
    quiet_end: Text = "",
    cap_limit: Text = "",
    cap_days: Text = "",
    points_shortfall: Text = Shortfall.DEBT,
    point_value: Text = "",
    terms_zh: Text = "",
    terms_en: Text = "",
) -> Response:
    """Save the form."""
    before = await service.get(edge.session)
    kept = [locale for locale, has in zip(LOCALES, (has_zh, has_en), strict=True) if has]
    typed: dict[str, Any] = {
        "name": name,
        "time_zone": time_zone,
        "currency": currency,
        "default_locale": default_locale,
        "locales": kept,
        "points_shortfall": points_shortfall,
        "point_value": point_value,
        "embed_origins": embed_origins.split(),
        "terms": {locale: text for locale, text in (("zh-CN", terms_zh), ("en", terms_en)) if text.strip()},
    }
    try:
        typed["point_value"] = _amount(point_value)
        typed |= _bounds(quiet_start, quiet_end, cap_limit, cap_days)
        brand = await service.change(edge.session, **typed)
    except InvalidError as error:
        return await again(edge, "settings/brand", error, nav="settings", form={**vars(before), **typed})
    edge.note("brand.change", "brand", before=changed(before, brand), after=changed(brand, before))
    return redirect(edge, HERE, done="Saved.")


def _amount(typed: str) -> Decimal | None:
    """What a point is worth as typed, None for an empty field. Raises PointValueError."""
    try:
        return Decimal(typed.strip()) if typed.strip() else None
    except InvalidOperation as wrong:
        raise PointValueError from wrong


def _bounds(quiet_start: str, quiet_end: str, cap_limit: str, cap_days: str) -> dict[str, Any]:
    """Quiet hours and cap as typed; empty fields turn them off. Raises OutreachBoundsError."""
    try:
        has_quiet, has_cap = bool(quiet_start or quiet_end), bool(cap_limit or cap_days)
        return {
            "quiet_hours": QuietHours(time.fromisoformat(quiet_start), time.fromisoformat(quiet_end))
            if has_quiet
            else None,
            "frequency_cap": FrequencyCap(int(cap_limit), int(cap_days)) if has_cap else None,
        }
    except ValueError as wrong:
        raise OutreachBoundsError from wrong


@router.post(
    "/settings/brand/logo",
    dependencies=[allow(Permission.BRAND_WRITE)],
    name="brand.change_logo",
    max_body_size=pictures.LARGEST,
)
async def change_logo(edge: EdgeOf, logo: Annotated[UploadFile | None, File()] = None) -> Response:
    """Take a picture as the logo, or none to remove it."""
    data = await logo.read() if logo is not None else b""
    try:
        stored = await media.store_image(edge.session, data) if logo and data else None
        await service.change(edge.session, logo_media_id=stored.id if stored else None)
    except DomainError as error:
        return await again(edge, "settings/brand", error, nav="settings", form=await service.get(edge.session))
    edge.note("brand.change_logo", "brand", after={"logo_media_id": str(stored.id) if stored else None})
    return redirect(edge, HERE, done="Saved.")
