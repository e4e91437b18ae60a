"""The runs of one conversation during one turn: starting, going on, parking, resuming, ending."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from crm.conversations import journal as stored_journal
from crm.conversations import wakes
from crm.events.catalogue import FlowEnded, FlowStarted
from crm.kit.errors import DomainError
from flows.engine.chat import Chat
from flows.engine.errors import AnswerTimedOut
from flows.engine.execution import Execution
from flows.engine.flow import Flow
from flows.engine.inputs import Input, InputKind
from flows.engine.journal import Journal
from flows.engine.registry import Flows
from flows.engine.signals import Ended, Outdated, Suspended, TooManySteps
from flows.engine.state import Run, load_runs
from flows.engine.turn import Turn, as_outbound

MAX_PARKED = 3
PARKED_FOR = timedelta(hours=24)


class Stage:
    """The stack of runs; the last one has the word."""

    def __init__(self, turn: Turn, flows: Flows) -> None:
        self.turn = turn
        self.flows = flows
        self.runs = load_runs(turn.conversation.runs)
        self.runs_started = turn.conversation.runs_started

    @property
    def top(self) -> Run | None:
        """The run that has the word."""
        return self.runs[-1] if self.runs else None

    async def start(self, flow: Flow[Any], arguments: Sequence[Any] = ()) -> None:
        """Start a flow above what runs; one that runs already, with the same arguments, goes on instead."""
        if self.top is not None and not self._is_kept(self.top):
            await self.end(self.top, "left")
        same = next((run for run in self.runs if (run.flow, run.arguments) == (flow.name, list(arguments))), None)
        if same is self.top and same is not None:
            await self.show()
            return
        if self.top is not None:
            self.top.parked_at = self.turn.now
        if same is not None:
            self.runs.remove(same)
            self.runs.append(same)
            await self._wake_up(same)
            return
        await self._make_room()
        self.runs_started += 1
        run = Run(self.runs_started, flow.name, list(arguments))
        self.runs.append(run)
        self.turn.events.append(FlowStarted(member_id=self.turn.member_id, flow=flow.name))
        await self.advance(run, None)

    async def advance(self, run: Run, given: Input | None, *, is_resumed: bool = False) -> None:
        """Let the run go on, with an input or (None) to show its question again."""
        flow = self.flows.find(run.flow)
        journal = await self._journal(run)
        outcome = await self._play(flow, run, journal, given, is_resumed=is_resumed)
        if outcome is None:
            await self._keep(run, journal)
            return
        await self.end(run, outcome)
        await self.resume()

    async def show(self) -> None:
        """Show the open question again, if there is one."""
        if self.top is not None:
            await self.advance(self.top, None)

    async def resume(self) -> None:
        """Give the word to the run below, if there is one that was not parked for too long."""
        while self.top is not None and self._is_expired(self.top):
            await self.end(self.top, "expired")
        if self.top is not None and self.top.parked_at is not None:
            await self._wake_up(self.top)

    async def end(self, run: Run, outcome: str) -> None:
        """Take a run off the stack; its journal goes, its outcome stays as an event."""
        self.runs.remove(run)
        conversation_id = self.turn.conversation.id
        if run.has_journal:
            await stored_journal.drop(self.turn.session, conversation_id, run.number)
        if run.has_wakes:
            await wakes.cancel_run(self.turn.session, conversation_id, run.number)
        self.turn.events.append(FlowEnded(member_id=self.turn.member_id, flow=run.flow, outcome=outcome))

    async def clear(self) -> None:
        """End all runs: who says stop is not asked on."""
        for run in list(self.runs):
            await self.end(run, "stopped")

    async def drop_expired(self) -> None:
        """End what was parked for too long."""
        for run in [run for run in self.runs if self._is_expired(run)]:
            await self.end(run, "expired")

    async def _play(
        self, flow: Flow[Any] | None, run: Run, journal: Journal, given: Input | None, *, is_resumed: bool
    ) -> str | None:
        if flow is None:
            await self.turn.say("engine/outdated", done=journal.effects())
            return "vanished"
        execution = Execution(self.turn, self.flows, run, journal, given=given, is_resumed=is_resumed)
        try:
            await flow.function(Chat(execution), *run.arguments)
        except Suspended:
            return None
        except Ended as ended:
            return ended.outcome
        except (Outdated, TooManySteps, DomainError) as stop:
            return await self._explain(stop)
        return "finished"

    async def _explain(self, stop: Outdated | TooManySteps | DomainError) -> str:
        """Tell the member why the flow ends; answers the outcome."""
        say = self.turn.say
        match stop:
            case Outdated(done=done):
                await say("engine/outdated", done=done)
                return "outdated"
            case TooManySteps():
                await say("engine/too_long")
                return "too_long"
            case AnswerTimedOut():
                await say("engine/timed_out")
                return "timed_out"
        await say(f"errors/{stop.kind}", code=stop.code(), detail=stop.detail, facts=stop.facts)
        return "failed"

    async def _journal(self, run: Run) -> Journal:
        if not run.has_journal:
            return Journal()
        return Journal(await stored_journal.entries(self.turn.session, self.turn.conversation.id, run.number))

    async def _keep(self, run: Run, journal: Journal) -> None:
        added, removed = journal.added(), journal.removed()
        if added or removed:
            run.has_journal = True
            place = (self.turn.session, self.turn.conversation.id, run.number)
            await stored_journal.write(*place, added=added, removed=removed)

    async def _make_room(self) -> None:
        while len(self.runs) > MAX_PARKED:
            await self.end(self.runs[0], "dropped")

    async def _wake_up(self, run: Run) -> None:
        run.parked_at = None
        asked = run.question
        now = self.turn.now.isoformat()
        if asked is not None and asked.times_out_at is not None and asked.times_out_at <= now:
            await self.advance(run, Input(InputKind.TIMEOUT))
            return
        place = len(self.turn.said)
        await self.advance(run, None, is_resumed=True)
        if run in self.runs:
            self.turn.said.insert(place, as_outbound(await self.turn.render("engine/resumed")))

    def _is_kept(self, run: Run) -> bool:
        flow = self.flows.find(run.flow)
        return flow is not None and flow.is_parked

    def _is_expired(self, run: Run) -> bool:
        return run.parked_at is not None and run.parked_at + PARKED_FOR < self.turn.now
