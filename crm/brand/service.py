"""Reading and changing the brand."""

from dataclasses import asdict, fields
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand.models import BrandRow
from crm.brand.policy import changed, versioned
from crm.brand.types import Brand
from crm.kit.shapes import plain, read

_IN_SETTINGS = (
    "locales",
    "embed_origins",
    "quiet_hours",
    "frequency_cap",
    "terms",
    "points_shortfall",
    "point_value",
)
_LOCK = 0x5159_0002
DEFAULT = Brand(
    name="Siyu",
    logo_media_id=None,
    time_zone="Asia/Shanghai",
    currency="CNY",
    locales=["zh-CN", "en"],
    default_locale="zh-CN",
    embed_origins=[],
    quiet_hours=None,
    frequency_cap=None,
    terms={
        "zh-CN": "我们会保存您的资料与互动记录，用于会员服务和您同意接收的消息。您可以随时发送“退订”停止接收。",
        "en": "We keep your profile and what you do here to run the membership and to send the news you agree to. "
        "Send STOP at any time to end the news.",
    },
    terms_version="",
)


async def get(session: AsyncSession) -> Brand:
    """The brand as it is; shipped values until an operator changes them."""
    row = (await session.execute(select(*BrandRow.__table__.c))).mappings().one_or_none()
    if row is None:
        return versioned(DEFAULT)
    return read(Brand, {**{k: v for k, v in row.items() if k not in {"id", "settings"}}, **row["settings"]})


async def zone(session: AsyncSession) -> ZoneInfo:
    """The time zone in which the brand's days begin."""
    return ZoneInfo((await get(session)).time_zone)


async def change(session: AsyncSession, **values: Any) -> Brand:
    """Change some fields. Raises a subclass of InvalidError that says which and why."""
    unknown = set(values) - {field.name for field in fields(Brand)} - {"terms_version"}
    assert not unknown, unknown
    # One change after another: each starts from the whole brand, so two at once would undo each other.
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    brand = changed(await get(session), values)
    stored = plain(brand)
    columns = {key: value for key, value in asdict(brand).items() if key not in _IN_SETTINGS}
    columns["settings"] = {key: stored[key] for key in _IN_SETTINGS}
    statement = insert(BrandRow).values(id=1, **columns)
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=columns))
    return brand
