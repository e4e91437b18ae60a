"""The brand's settings."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf, json_ready
from admin_api.routing import api_router
from admin_api.schemas import Body
from crm.brand import service
from crm.brand.types import Brand, FrequencyCap, QuietHours, Shortfall
from crm.operators.permissions import Permission

router = api_router("/api/v1/brand", "Brand")


class BrandView(BaseModel):
    """The one brand of this deployment."""

    name: str
    logo_media_id: UUID | None
    time_zone: str
    currency: str
    locales: list[str]
    default_locale: str
    embed_origins: list[str]
    quiet_hours: QuietHours | None
    frequency_cap: FrequencyCap | None
    terms: dict[str, str]
    terms_version: str
    points_shortfall: Shortfall
    point_value: Decimal | None


class BrandChange(Body):
    """Fields to change; what is left out stays, null removes where that makes sense."""

    name: Annotated[str, Field(max_length=200)] = ""
    logo_media_id: UUID | None = None
    time_zone: Annotated[str, Field(max_length=100, examples=["Asia/Shanghai"])] = ""
    currency: Annotated[str, Field(max_length=3, examples=["CNY"])] = ""
    locales: Annotated[list[str], Field(default_factory=list, max_length=2)]
    default_locale: Annotated[str, Field(max_length=10)] = ""
    embed_origins: Annotated[list[str], Field(default_factory=list, max_length=100)]
    quiet_hours: QuietHours | None = None
    frequency_cap: FrequencyCap | None = None
    terms: Annotated[dict[str, str], Field(default_factory=dict, max_length=2)]
    points_shortfall: Annotated[
        Shortfall, Field(description="What becomes of points that are taken back after they were spent.")
    ] = Shortfall.DEBT
    point_value: Annotated[
        Decimal | None,
        Field(
            gt=0,
            le=1_000_000,
            decimal_places=6,
            description="What a point is worth in the brand's currency when it is redeemed.",
            examples=["0.05"],
        ),
    ] = None


def brand_view(brand: Brand) -> BrandView:
    """As the API shows the brand."""
    return BrandView.model_validate(vars(brand))


@router.get("", dependencies=[allow(Permission.BRAND_READ)], name="brand.read", summary="Read the brand")
async def read_brand(edge: EdgeOf) -> BrandView:
    """Name, logo, time zone, currency, languages, terms and the bounds of outreach."""
    return brand_view(await service.get(edge.session))


@router.patch("", dependencies=[allow(Permission.BRAND_WRITE)], name="brand.change", summary="Change the brand")
async def change_brand(edge: EdgeOf, body: BrandChange) -> BrandView:
    """Changes what is given."""
    before = await service.get(edge.session)
    brand = await service.change(edge.session, **{name: getattr(body, name) for name in body.model_fields_set})
    edge.note("brand.change", "brand", before=changed(before, brand), after=changed(brand, before))
    return brand_view(brand)


def changed(one: Brand, other: Brand) -> dict[str, object]:
    """What `one` has otherwise than `other`, for the audit log."""
    there = json_ready(other)
    plain = BrandView.model_validate(vars(one)).model_dump(mode="json")
    return {name: plain[name] for name, value in json_ready(one).items() if value != there[name]}
