"""Inviting friends: the personal link, how the invitations stand, and a poster to be passed on."""

from dataclasses import asdict
from typing import Any

from crm.kit.errors import UnavailableError
from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, Opens, flow
from flows.steps import invitations
from flows.steps.patience import leaves_quietly

_POSTER = "poster"


@flow(
    "invite",
    starts=[
        Command("invite"),
        Keyword("邀请好友", "我的邀请", "邀请", "邀请有礼", "invite", "invite friends", "my invitations", "refer"),
        Button("invite"),
    ],
)
@leaves_quietly
async def invite(chat: Chat, wanted: str = "") -> None:
    """Shows link, friends and rewards; `poster` sends the picture."""
    await chat.member()
    found = await chat.look(invitations.invitations, chat.identity_id)
    values: dict[str, Any] = asdict(found)
    if found.url is None:
        await chat.say("invite/none", **values, buttons=[[Opens("check_in"), Opens("rewards")]])
    elif wanted == _POSTER:
        await _send_poster(chat, found.url)
    else:
        await chat.say("invite/status", **values, buttons=[[Opens("invite", _POSTER)]])


async def _send_poster(chat: Chat, url: str) -> None:
    try:
        picture = await chat.do(invitations.poster, chat.identity_id, key="poster")
    except UnavailableError:
        await chat.say("invite/no_poster", url=url)
        return
    await chat.say("invite/poster", photo=picture, url=url)
