"""One run of a flow's function against its journal: recorded steps return at once, new ones are made and recorded."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from crm.conversations import wakes
from crm.conversations.types import Place, WakeKind
from crm.db.savepoint import savepoint
from crm.jobs.service import enqueue
from crm.kit.errors import DomainError
from flows.engine.asking import Asking, Presenter, present
from flows.engine.errors import AnswerTimedOut, JobFailed
from flows.engine.flow import Flow
from flows.engine.inputs import Input, InputKind
from flows.engine.journal import Journal, Slot
from flows.engine.reading import Answer, Draft, OpenQuestion, Refused
from flows.engine.registry import Flows
from flows.engine.saying import Saying, utter
from flows.engine.signals import Outdated, Suspended, TooManySteps
from flows.engine.state import Run
from flows.engine.turn import Turn
from flows.engine.values import decode, decode_error, encode, encode_error

MAX_STEPS = 300
TRIES_BEFORE_HELP = 3


class Execution:
    """The machinery behind a `Chat`."""

    def __init__(
        self, turn: Turn, flows: Flows, run: Run, journal: Journal, *, given: Input | None, is_resumed: bool = False
    ) -> None:
        self.turn = turn
        self.flows = flows
        self.run = run
        self.journal = journal
        self.is_resumed = is_resumed
        self._given = given

    def has(self, slot: Slot) -> bool:
        """Whether the step was recorded."""
        return self.journal.find(slot) is not None

    def mark(self, path: str, value: Any) -> Any:
        """`value` as it was the first time."""
        slot = self.journal.slot(path)
        recorded = self.journal.find(slot)
        if recorded is not None:
            return recorded.value
        self._record(slot, value)
        return value

    async def call(
        self,
        path: str,
        function: Callable[..., Awaitable[Any]],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        is_effect: bool,
    ) -> Any:
        """The result of a database step, made once in a savepoint. Raises the step's DomainError, also again."""
        slot = self.journal.slot(path)
        recorded = self.journal.find(slot)
        if recorded is None:
            await self._make(slot, function, args, kwargs, is_effect=is_effect)
            recorded = self.journal.find(slot)
            assert recorded is not None
        if "error" in recorded.value:
            raise decode_error(recorded.value)
        return decode(function, recorded.value["result"])

    async def say(
        self,
        path: str,
        saying: Saying,
    ) -> None:
        """Say something once."""
        slot = self.journal.slot(path)
        if self.has(slot):
            return
        await utter(self.turn, self.flows, saying)
        self._record(slot, None)

    async def ask(
        self,
        path: str,
        asking: Asking,
    ) -> Any:
        """The recorded answer, or the answer in this turn's input; else the question is shown and the run waits."""
        slot = self.journal.slot(path)
        recorded = self.journal.find(slot)
        if recorded is not None:
            if isinstance(recorded.value, dict) and "error" in recorded.value:
                raise decode_error(recorded.value)
            try:
                return asking.question.load(recorded.value["answer"])
            except Refused:
                done = self.journal.effects_after(recorded)
                if done:
                    raise Outdated(self.journal.effects()) from None
                self.journal.cut(recorded)
        show = Presenter(self.turn, self.run, asking)
        asked = self._asked_at(slot)
        if asked is None:
            await self._open(slot, show)
            raise Suspended
        return await self._continue(slot, asked, show)

    async def wait_for(self, path: str, job: str, arguments: Mapping[str, Any]) -> Any:
        """What the job reported, recorded; enqueues it and waits if this is the first time."""
        slot = self.journal.slot(path)
        recorded = self.journal.find(slot)
        if recorded is None:
            await self._await_job(slot, job, arguments)
            recorded = self.journal.find(slot)
            assert recorded is not None
        if "error" in recorded.value:
            raise JobFailed(recorded.value["error"])
        return recorded.value["result"]

    async def call_flow(self, slot: Slot, prefix: str, flow: Flow[Any], chat: Any, args: Sequence[Any]) -> Any:
        """The result of another flow, which shrinks to it when it returns."""
        recorded = self.journal.find(slot)
        if recorded is None:
            result = await flow.function(chat, *args)
            value = {"result": encode(flow.function, result)}
            self.journal.shrink(prefix, slot, value)
            self._count()
            return decode(flow.function, value["result"])
        return decode(flow.function, recorded.value["result"])

    def leave(self, prefix: str, slot: Slot) -> None:
        """Go on as if the flow below `prefix` had ended without a result; its open question is dropped."""
        self.journal.shrink(prefix, slot, {"result": None})
        self.run.question = None

    async def _make(
        self,
        slot: Slot,
        function: Callable[..., Awaitable[Any]],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        is_effect: bool,
    ) -> None:
        try:
            async with savepoint(self.turn.session):
                result = await function(self.turn.session, self.turn.member_id, *args, **kwargs)
        except DomainError as error:
            self._record(slot, encode_error(error))
        else:
            self.turn.notice(result)
            self._record(slot, {"result": encode(function, result)}, is_effect=is_effect)

    async def _open(self, slot: Slot, show: Presenter) -> None:
        self._count()
        timeout, remind = show.asking.timeout, show.asking.remind
        self.run.asked += 1
        alone = not (self.turn.said or show.asking.stays)
        asked = OpenQuestion(
            step=self.run.asked, path=str(slot), stands_alone=alone, has_timers=bool(timeout or remind)
        )
        self.run.has_wakes |= asked.has_timers
        self.run.question = asked
        asked.draft = list(show.asking.question.shape(self.turn.locale).chosen)
        due = {WakeKind.TIMEOUT: timeout, WakeKind.REMINDER: remind}
        for kind, delay in due.items():
            if delay is not None:
                at = self.turn.now + delay
                await wakes.schedule(self.turn.session, self._place(asked), kind, at)
        if timeout is not None:
            asked.times_out_at = (self.turn.now + timeout).isoformat()
        await present(show, asked)

    async def _continue(self, slot: Slot, asked: OpenQuestion, show: Presenter) -> Any:
        given, self._given = self._given, None
        if given is None:
            await present(show, asked)
            raise Suspended
        if given.kind is InputKind.REMINDER:
            await self.turn.say("engine/reminder")
            await present(show, asked)
            raise Suspended
        if given.kind is InputKind.TIMEOUT:
            error = AnswerTimedOut()
            await self._close(slot, asked, encode_error(error))
            raise error
        return await self._read(slot, asked, show, given)

    async def _read(self, slot: Slot, asked: OpenQuestion, show: Presenter, given: Input) -> Any:
        try:
            reading = show.asking.question.read(given, asked, self.turn.locale)
        except Refused as refused:
            asked.tries += 1
            await self.turn.say(f"hints/{refused.hint}", **refused.facts)
            if asked.tries >= TRIES_BEFORE_HELP:
                await self.turn.say("hints/person")
            await present(show, asked)
            raise Suspended from None
        match reading:
            case Draft(keys):
                asked.draft = keys
                await present(show, asked)
                raise Suspended
            case Answer(value):
                await self._close(slot, asked, {"answer": show.asking.question.dump(value)})
                return value

    async def _close(self, slot: Slot, asked: OpenQuestion, value: Any) -> None:
        if asked.has_timers:
            await wakes.cancel(self.turn.session, self._place(asked))
        self.run.question = None
        self._record(slot, value)

    async def _await_job(self, slot: Slot, job: str, arguments: Mapping[str, Any]) -> None:
        asked = self._asked_at(slot)
        if asked is None:
            self.run.asked += 1
            asked = OpenQuestion(step=self.run.asked, path=str(slot), wants_text=False, job=job)
            self.run.has_wakes = True
            self.run.question = asked
            reply_to = str(self._place(asked))
            await enqueue(self.turn.session, job, {**arguments, "reply_to": reply_to}, key=reply_to)
            raise Suspended
        given, self._given = self._given, None
        if given is None or given.kind is not InputKind.RESULT:
            await self.turn.say("engine/working")
            raise Suspended
        self.run.question = None
        self._record(slot, given.value)

    def _place(self, asked: OpenQuestion) -> Place:
        return Place(self.turn.conversation.id, self.run.number, asked.step)

    def _asked_at(self, slot: Slot) -> OpenQuestion | None:
        asked = self.run.question
        return asked if asked is not None and asked.path == str(slot) else None

    def _record(self, slot: Slot, value: Any, *, is_effect: bool = False) -> None:
        self._count()
        self.journal.record(slot, value, is_effect=is_effect)

    def _count(self) -> None:
        self.run.steps += 1
        if self.run.steps > MAX_STEPS:
            raise TooManySteps
