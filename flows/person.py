"""Reaching a person: what it is about becomes a ticket that operators see."""

from crm.tickets import service as tickets
from flows.engine.chat import Chat
from flows.engine.choices import Skippable
from flows.engine.flow import Button, Command, Keyword, flow
from flows.engine.questions import Text
from flows.steps.patience import A_DAY, leaves_quietly

_MOST = 2000


@flow(
    "person",
    starts=[
        Command("human"),
        Command("person"),
        Keyword("人工", "人工客服", "客服", "真人", "human", "person", "agent", "talk to a person"),
        Button("person"),
    ],
    is_parked=False,
)
@leaves_quietly
async def person(chat: Chat) -> None:
    """Takes one sentence, or none, and hands over."""
    note = await chat.ask("person/note", Skippable(Text(_MOST)), timeout=A_DAY)
    await chat.do(tickets.request_person, identity_id=chat.identity_id, note=note or "")
    await chat.say("person/done")
