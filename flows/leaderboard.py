"""The leaderboard: who checks in most, among those who chose to be on it."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import leaderboards
from crm.check_ins.errors import LeaderboardOff
from crm.check_ins.types import Board, Leaderboard
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Button, Command, Keyword, Opens, flow
from flows.steps.name import Name
from flows.steps.patience import A_DAY, leaves_quietly

_BOARDS = {
    Board.WEEK: {"en": "This week", "zh-CN": "本周"},
    Board.MONTH: {"en": "This month", "zh-CN": "本月"},
    Board.STREAK: {"en": "Streaks", "zh-CN": "连签"},
}
_JOIN = {"en": "Join in", "zh-CN": "我要上榜"}
_LEAVE = {"en": "Leave the board", "zh-CN": "退出榜单"}
_MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}


async def _show(session: AsyncSession, member_id: int, board: Board) -> Leaderboard:
    return await leaderboards.show(session, board, member_id=member_id)


async def _join(session: AsyncSession, member_id: int, alias: str) -> None:
    await leaderboards.join(session, member_id, alias=alias)


async def _leave(session: AsyncSession, member_id: int) -> bool:
    return await leaderboards.leave(session, member_id)


@flow(
    "leaderboard",
    starts=[
        Command("leaderboard"),
        Keyword("排行榜", "签到排行", "签到榜", "leaderboard", "ranking"),
        Button("leaderboard"),
    ],
    is_parked=False,
)
@leaves_quietly
async def leaderboard(chat: Chat, wanted: str = "") -> None:
    """Shows a board, `week` unless `wanted` is another one; `join` and `leave` do just that."""
    await chat.member()
    if wanted == "leave":
        await chat.do(_leave)
        await chat.say("leaderboard/left", buttons=[[Opens("leaderboard")]])
        return
    board = Board(wanted) if wanted in {item.value for item in Board} else Board.WEEK
    try:
        found = await chat.look(_show, board)
        if wanted == "join" and not found.is_on_it:
            if not await _joined(chat):
                await chat.say("leaderboard/not_joined")
                return
            found = await chat.look(_show, board, key="joined")
    except LeaderboardOff:
        await chat.say("leaderboard/none", buttons=[[Opens("check_in")]])
        return
    await chat.say("leaderboard/shown", **_values(found), buttons=_buttons(found))


async def _joined(chat: Chat) -> bool:
    """Whether they joined, after they were told what others will see of them."""
    how = await chat.ask("leaderboard/join", Choice("name", "alias", "leave"), timeout=A_DAY)
    if how == "leave":
        return False
    alias = await chat.ask("leaderboard/alias", Name(), timeout=A_DAY) if how == "alias" else ""
    await chat.do(_join, alias, key="join")
    return True


def _values(found: Leaderboard) -> dict[str, Any]:
    own = found.own
    return {
        "board": found.board.value,
        "since": found.since,
        "members": found.members,
        "is_on_it": found.is_on_it,
        "own_rank": None if own is None else own.rank,
        "own_value": None if own is None else own.value,
        "places": [
            {
                "sign": _MEDALS.get(place.rank, f"{place.rank}."),
                "name": place.name,
                "value": place.value,
                "badge": place.badge,
                "is_own": own is not None and place.member_id == own.member_id,
            }
            for place in found.places
        ],
    }


def _buttons(found: Leaderboard) -> list[list[Opens]]:
    others = [Opens("leaderboard", board.value, label) for board, label in _BOARDS.items() if board is not found.board]
    act = Opens("leaderboard", "leave", _LEAVE) if found.is_on_it else Opens("leaderboard", "join", _JOIN)
    return [others, [act]]
