"""The brand has sensible values from the start; a change is checked as a whole."""

import asyncio
from datetime import UTC, time
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service
from crm.brand.errors import (
    InvalidBrandError,
    InvalidOriginError,
    UnknownCurrencyError,
    UnknownLocaleError,
    UnknownTimeZoneError,
)
from crm.brand.types import FrequencyCap, QuietHours
from crm.db.session import Sessions

BOTH = {"en": "Terms", "zh-CN": "条款"}


async def test_a_new_brand_is_complete(session: AsyncSession) -> None:
    brand = await service.get(session)
    assert (brand.name, brand.time_zone, brand.currency) == ("Siyu", "Asia/Shanghai", "CNY")
    assert set(brand.terms) == set(brand.locales) == {"zh-CN", "en"}
    assert (brand.quiet_hours, brand.frequency_cap, brand.embed_origins) == (None, None, [])
    assert len(brand.terms_version) == 12


async def test_a_change_keeps_the_rest(session: AsyncSession) -> None:
    before = await service.get(session)
    hours, cap = QuietHours(time(22), time(8, 30)), FrequencyCap(2, 7)
    await service.change(session, name="  茶\u202e \n铺 ", quiet_hours=hours, frequency_cap=cap)
    changed = await service.change(session, embed_origins=["https://shop.example:8443", "http://localhost"])
    assert changed == await service.get(session)
    assert (changed.name, changed.quiet_hours, changed.frequency_cap) == ("茶 铺", hours, cap)
    assert (changed.terms, changed.terms_version) == (before.terms, before.terms_version)
    assert (await service.change(session, quiet_hours=None)).quiet_hours is None


async def test_other_terms_are_another_version(session: AsyncSession) -> None:
    first = await service.change(session, terms=BOTH)
    again = await service.change(session, terms=dict(reversed(BOTH.items())), name="Tea")
    other = await service.change(session, terms={**BOTH, "en": "Terms."})
    assert first.terms_version == again.terms_version != other.terms_version


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"name": " \u200b\x00 "}, InvalidBrandError),
        ({"time_zone": "Mars/Olympus"}, UnknownTimeZoneError),
        ({"time_zone": "../../etc/passwd"}, UnknownTimeZoneError),
        ({"currency": "XXXX"}, UnknownCurrencyError),
        ({"currency": "cny"}, UnknownCurrencyError),
        ({"locales": []}, UnknownLocaleError),
        ({"locales": ["en", "fr"]}, UnknownLocaleError),
        ({"locales": ["en"]}, UnknownLocaleError),
        ({"default_locale": "fr"}, UnknownLocaleError),
        ({"embed_origins": ["https://shop.example/path"]}, InvalidOriginError),
        ({"embed_origins": ["*"]}, InvalidOriginError),
        ({"embed_origins": ["https://a.example; script-src *"]}, InvalidOriginError),
        ({"embed_origins": ["https://a.example\n"]}, InvalidOriginError),
        ({"embed_origins": ["https://\u017fhop.example"]}, InvalidOriginError),
        ({"embed_origins": ["https://shop.example:\u0661\u0662"]}, InvalidOriginError),
        ({"embed_origins": ["javascript://x"]}, InvalidOriginError),
        ({"quiet_hours": QuietHours(time(8), time(8))}, InvalidBrandError),
        ({"quiet_hours": QuietHours(time(22, tzinfo=UTC), time(8))}, InvalidBrandError),
        ({"frequency_cap": FrequencyCap(0, 7)}, InvalidBrandError),
        ({"frequency_cap": FrequencyCap(1, 0)}, InvalidBrandError),
        ({"frequency_cap": FrequencyCap(1, 366)}, InvalidBrandError),
        ({"terms": {"en": "Terms"}}, InvalidBrandError),
        ({"terms": {"en": "Terms", "zh-CN": "  "}}, InvalidBrandError),
        ({"terms": {"en": "x" * 4001, "zh-CN": "x"}}, InvalidBrandError),
    ],
)
async def test_what_is_not_valid_changes_nothing(session: AsyncSession, values: dict[str, Any], error: Any) -> None:
    before = await service.change(session, name="Tea")
    with pytest.raises(error):
        await service.change(session, **values)
    assert await service.get(session) == before


async def test_changes_side_by_side_do_not_undo_each_other(committed_sessions: Sessions) -> None:
    async def change(**values: Any) -> None:
        async with committed_sessions.begin() as session:
            await service.change(session, **values)

    await asyncio.gather(change(name="Tea"), change(currency="EUR"), change(time_zone="UTC"), change(terms=BOTH))
    async with committed_sessions.begin() as session:
        brand = await service.get(session)
    assert (brand.name, brand.currency, brand.time_zone, brand.terms) == ("Tea", "EUR", "UTC", BOTH)
