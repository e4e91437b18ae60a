"""Who shops for tea: invented people with habits, from which their months follow."""

from dataclasses import dataclass
from datetime import date

from runtime.demo_data.dice import Dice

_FAMILY = tuple("李王张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗")
_GIVEN = (
    "子涵",
    "雨桐",
    "浩然",
    "思远",
    "欣怡",
    "梓轩",
    "佳琪",
    "一诺",
    "明轩",
    "诗雨",
    "俊杰",
    "若曦",
    "书瑶",
    "天佑",
    "晓梅",
)
_FIRST = ("Ava", "Noah", "Mia", "Leo", "Iris", "Owen", "Nora", "Eli", "Ruby", "Finn", "Clara", "Hugo", "Ella", "Theo")
_LAST = ("Brooks", "Hale", "Reyes", "Stone", "Novak", "Doyle", "Lindt", "Marsh", "Quinn", "Vale")
INTERESTS = ("green", "oolong", "black", "puer", "fruit", "teaware")
CITIES = ("Shanghai", "Hangzhou", "Shenzhen", "Chengdu", "Singapore", "London")
_CHINESE_SHARE = 0.7
_EAGER, _STEADY = 0.15, 0.5


@dataclass(frozen=True)
class Person:
    """One invented member; days count back from today."""

    number: int
    name: str
    locale: str
    birthday: date
    city: str
    interests: tuple[str, ...]
    joined_days_ago: int
    stopped_days_ago: int
    """0: still active; else the days since they were last seen."""
    eagerness: float
    """Chance of a check-in on a day."""
    order_days: tuple[int, ...]
    has_signed_up: bool
    wants_news: bool


def people(count: int) -> list[Person]:
    """`count` people, the same ones each time."""
    return [_person(number) for number in range(1, count + 1)]


def _person(number: int) -> Person:
    dice = Dice(f"tea {number}")
    is_chinese = dice.chance() < _CHINESE_SHARE
    name = dice.pick(_FAMILY) + dice.pick(_GIVEN) if is_chinese else f"{dice.pick(_FIRST)} {dice.pick(_LAST)}"
    joined = dice.whole(1, 180)
    kind = dice.chance()
    stopped = dice.whole(0, joined - 1) if kind > _STEADY and joined > 1 else 0
    eagerness = 0.55 if kind < _EAGER else 0.12 if kind < _STEADY else 0.06
    span = range(max(stopped, 1), joined + 1)
    orders = dice.whole(0, 6 if kind < _STEADY else 2)
    return Person(
        number=number,
        name=name,
        locale="zh-CN" if is_chinese else "en",
        birthday=date(dice.whole(1968, 2006), dice.whole(1, 12), dice.whole(1, 28)),
        city=dice.pick(CITIES),
        interests=tuple(dice.some(INTERESTS, 3)),
        joined_days_ago=joined,
        stopped_days_ago=stopped,
        eagerness=eagerness,
        order_days=tuple(sorted({dice.pick(span) for _ in range(orders)}, reverse=True)),
        has_signed_up=dice.chance() < 0.93,  # noqa: PLR2004 - some only ever look
        wants_news=dice.chance() < 0.88,  # noqa: PLR2004
    )
