"""Time zones as people name them: by a city, in English or in their own language."""

from functools import lru_cache
from zoneinfo import available_timezones

from babel.core import get_global
from babel.dates import get_timezone_location
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.localized import LOCALES
from crm.members import service as members
from flows.engine.reading import Option

COMMON = (
    "Asia/Shanghai",
    "Asia/Hong_Kong",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Europe/London",
    "Europe/Paris",
    "America/New_York",
    "America/Los_Angeles",
)
_AREAS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
_MOST = 8
_IN_CHINA = """北京 beijing 广州 guangzhou 深圳 shenzhen 成都 chengdu 杭州 hangzhou 武汉 wuhan 重庆 chongqing
西安 xi'an 南京 nanjing 天津 tianjin 苏州 suzhou 长沙 changsha 中国 china"""
_CHINESE_CITIES = dict.fromkeys(_IN_CHINA.split(), "Asia/Shanghai")
"""The zone database knows one city of China's; these are the ones that people type."""


async def current(session: AsyncSession, member_id: int) -> str:
    """IANA name of the zone that the member's days are counted in."""
    return (await members.zone(session, member_id)).key


@lru_cache(maxsize=2000)
def city(zone: str, locale: str) -> str:
    """The zone's city in the language, e.g. `上海` for Asia/Shanghai."""
    language = "zh_Hans_CN" if locale.startswith("zh") else "en"
    return str(get_timezone_location(zone, locale=language, return_city=True)).rpartition("/")[2]


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    places = get_global("zone_territories")  # without the second names that zones had over the years
    named: dict[str, str] = {}
    for zone in sorted(available_timezones()):
        if zone.startswith(_AREAS) and zone in places:
            own = zone.rpartition("/")[2].replace("_", " ")
            for name in (zone.replace("_", " "), own, *cities(zone).values()):
                named.setdefault(name.casefold(), zone)
    return {**_CHINESE_CITIES, **named}


async def search(session: AsyncSession, member_id: int, text: str) -> list[str]:
    """Zones whose city is, else begins with, else contains `text`; at most 8."""
    del session, member_id
    wanted = " ".join(text.replace("_", " ").split()).casefold().removesuffix("市")
    names = _by_name()
    if wanted in names:
        return [names[wanted]]
    starting = [zone for name, zone in names.items() if name.startswith(wanted)]
    inside = [zone for name, zone in names.items() if wanted in name]
    return list(dict.fromkeys([*starting, *inside]))[:_MOST] if wanted else []


def cities(zone: str) -> dict[str, str]:
    """The zone's city by locale."""
    return {locale: city(zone, locale) for locale in LOCALES}


def options(zones: list[str]) -> list[Option]:
    """The zones as buttons, named by their city."""
    return [Option(zone, cities(zone)) for zone in zones]
