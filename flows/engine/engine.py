"""Handles one input of one conversation: what it means, what the flows do with it, what is said in answer."""

import html
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import keywords
from crm.conversations import service as conversations
from crm.conversations.types import Conversation, Wake, WakeKind
from crm.db import clock
from crm.db.savepoint import savepoint
from crm.events import service as events
from crm.events.catalogue import ButtonTapped, KeywordMatched
from crm.kit.errors import DomainError
from crm.members.types import Contact
from crm.messages.types import ButtonSpec, ChannelTraits, Outbound
from crm.tags import service as tags
from crm.tickets import service as tickets
from crm.tickets.types import Noted
from flows.engine.buttons import ContentTap
from flows.engine.flow import Button, StopWords
from flows.engine.inputs import Input, InputKind
from flows.engine.reading import OpenQuestion
from flows.engine.registry import Flows
from flows.engine.routing import Cancel, GiveAnswer, OldButton, StaleTap, StartFlow, TapContent, Unknown, route
from flows.engine.stage import Stage
from flows.engine.state import dump_runs, load_runs
from flows.engine.turn import Renderer, Turn, in_messages

log = structlog.get_logger(__name__)
TapResolver = Callable[[AsyncSession, str, str], Awaitable[ButtonSpec | None]]
"""Finds the button that operators wrote, from the reference of its content and its place `row.column`."""


@dataclass(frozen=True)
class Engine:
    """All flows, and what they need to talk."""

    flows: Flows
    render: Renderer
    taps: Mapping[str, TapResolver] = field(default_factory=dict)

    async def handle(
        self,
        session: AsyncSession,
        contact: Contact,
        conversation: Conversation,
        given: Input,
        traits: ChannelTraits,
        *,
        is_tap_lost: bool = False,
    ) -> list[Outbound]:
        """Handle something the member sent, under the chat's lock; answers what to send. Never commits.

        `is_tap_lost`: the member may have tapped a button while nobody listened, and is told to tap again.
        """
        stage = await self._stage(session, contact, conversation, given, traits)
        if is_tap_lost:
            await stage.turn.say("engine/tap_again")
        await stage.drop_expired()
        top = stage.top
        was_open = (top.number, top.question) if top and top.question else None
        meaning = route(given, top.number if top else None, top.question if top else None, self.flows)
        await self._follow(stage, meaning, given)
        edits = given.message_ref if isinstance(meaning, GiveAnswer) and _may_replace(stage, was_open) else None
        return await self._finish(stage, edits)

    async def wake(
        self, session: AsyncSession, contact: Contact, conversation: Conversation, wake: Wake, traits: ChannelTraits
    ) -> list[Outbound] | None:
        """Handle a timer or a job's result like an input; None if it must wait until its run has the word again."""
        given = Input(InputKind(wake.kind.value), value=wake.value)
        stage = await self._stage(session, contact, conversation, given, traits)
        run = next((run for run in stage.runs if run.number == wake.place.run), None)
        if run is None or run.question is None or run.question.step != wake.place.step:
            return []
        if run is not stage.top:
            return None if wake.kind is WakeKind.RESULT else []
        await stage.advance(run, given)
        return await self._finish(stage, None)

    def waits_for_tap(self, conversation: Conversation) -> bool:
        """Whether a question with buttons is open."""
        runs = load_runs(conversation.runs)
        return bool(runs and runs[-1].question and runs[-1].question.options)

    async def apology(self, session: AsyncSession, contact: Contact, traits: ChannelTraits) -> list[Outbound]:
        """What is said when an input was given up; the open question stays as it is."""
        turn = Turn(session, contact, _NOWHERE, None, await clock.now(session), traits, self.render)
        await turn.say("engine/apology")
        return in_messages(turn.said, traits)

    async def _stage(
        self, session: AsyncSession, contact: Contact, conversation: Conversation, given: Input, traits: ChannelTraits
    ) -> Stage:
        turn = Turn(session, contact, conversation, given, await clock.now(session), traits, self.render)
        return Stage(turn, self.flows)

    async def _follow(self, stage: Stage, meaning: object, given: Input) -> None:
        turn = stage.turn
        match meaning:
            case StartFlow(flow, arguments, keyword):
                if keyword is not None:
                    turn.events.append(KeywordMatched(member_id=turn.member_id, keyword=keyword))
                if flow is self.flows.by(StopWords):
                    await stage.clear()
                await stage.start(flow, arguments)
            case GiveAnswer():
                assert stage.top is not None
                await stage.advance(stage.top, given)
            case Cancel():
                await self._cancel(stage)
            case StaleTap(run):
                await self._stale(stage, run)
            case OldButton():
                await turn.say("engine/old_button")
                await stage.show()
            case TapContent(tap):
                await self._tapped(stage, tap)
            case Unknown(text):
                await self._unknown(stage, text)

    async def _stale(self, stage: Stage, run: int) -> None:
        if not _is_second_of_a_double_tap(stage.turn, run):
            await stage.turn.say("engine/stale_tap")
            await stage.show()

    async def _cancel(self, stage: Stage) -> None:
        if stage.top is None:
            await stage.turn.say("engine/nothing_to_cancel")
            return
        await stage.end(stage.top, "cancelled")
        await stage.turn.say("engine/cancelled")
        await stage.resume()

    async def _tapped(self, stage: Stage, tap: ContentTap) -> None:
        turn = stage.turn
        resolver = self.taps.get(tap.kind)
        spec = await resolver(turn.session, tap.ref, tap.place) if resolver is not None else None
        if spec is None:
            await self._follow(stage, OldButton(), Input(InputKind.BUTTON))
            return
        source = f"{tap.kind}:{tap.ref}"
        campaign_id = int(tap.ref) if tap.kind == "c" and tap.ref.isdecimal() else None
        label = f"{source}:{tap.place}"
        turn.events.append(ButtonTapped(member_id=turn.member_id, button=label, campaign_id=campaign_id))
        await self._do_as_written(stage, tag=spec.tag, opens=spec.opens, source="button", source_ref=source)

    async def _do_as_written(
        self,
        stage: Stage,
        *,
        tag: str | None,
        opens: str | None,
        source: str,
        source_ref: str,
        reply: str | None = None,
    ) -> None:
        turn = stage.turn
        if tag:
            await _add_tag(turn, tag, source=source, source_ref=source_ref)
        if reply:
            text = html.escape(reply, quote=False) if turn.traits.has_html else reply
            turn.said.append(Outbound(text))
        name, _, argument = (opens or "").partition(":")
        flow = self.flows.by(Button, name) or self.flows.find(name)
        if flow is not None:
            await stage.start(flow, flow.arguments(argument))
        elif not reply:
            await turn.say("engine/noted")

    async def _unknown(self, stage: Stage, text: str) -> None:
        turn = stage.turn
        keyword = await keywords.match(turn.session, text) if text else None
        if keyword is not None:
            turn.events.append(KeywordMatched(member_id=turn.member_id, keyword=keyword.name))
            reply = keywords.reply_in(keyword.reply, turn.locale)
            what = {"tag": keyword.tag, "opens": keyword.flow, "reply": reply}
            await self._do_as_written(stage, **what, source="keyword", source_ref=f"keyword:{keyword.id}")
            return
        match await tickets.note_message(turn.session, turn.member_id):
            case Noted.FIRST:
                await turn.say("engine/passed_on")
            case Noted.NOT:
                await turn.say("engine/unknown")

    async def _finish(self, stage: Stage, edits: str | None) -> list[Outbound]:
        turn = stage.turn
        runs = dump_runs(stage.runs)
        if runs != turn.conversation.runs:
            await conversations.save(turn.session, turn.conversation, runs=runs, runs_started=stage.runs_started)
        await events.publish_last(turn.session, turn.events)
        messages = in_messages(turn.said, turn.traits)
        if edits and turn.traits.has_edit and len(messages) == 1 and _can_replace(messages[0]):
            messages[0] = replace(messages[0], edit_ref=edits)
        return messages


_DOUBLE_TAP = timedelta(seconds=2)


def _is_second_of_a_double_tap(turn: Turn, run: int) -> bool:
    """Whether a tap on a question that was answered is the same finger once more: nothing is said about it."""
    before = turn.conversation
    is_at_once = before.changed_at is not None and turn.now - before.changed_at < _DOUBLE_TAP
    return is_at_once and run == before.runs_started


_NOWHERE = Conversation(0, 0, 0, "", 0)


async def _add_tag(turn: Turn, tag: str, *, source: str, source_ref: str) -> None:
    """A tag that cannot be added any more (archived, say) must not keep the member from being answered."""
    try:
        async with savepoint(turn.session):
            await tags.add(turn.session, turn.member_id, tag, source=source, source_ref=source_ref)
    except DomainError as error:
        log.warning("tag_not_added", source_ref=source_ref, error=error.code())


def _may_replace(stage: Stage, was_open: tuple[int, OpenQuestion] | None) -> bool:
    """Whether the same run asks on: the tapped message is replaced, unless more than the question stood in it."""
    top = stage.top
    if top is None or top.question is None or was_open is None or top.number != was_open[0]:
        return False
    return was_open[1].stands_alone or was_open[1].step == top.question.step


def _can_replace(message: Outbound) -> bool:
    return message.photo_media_id is None and message.menu is None and message.request is None
