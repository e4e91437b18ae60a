"""The one object that a flow talks to. Every method is a step that happens once, however often the flow is run."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.members.service import get as get_member
from flows.engine.asking import Asking
from flows.engine.execution import Execution
from flows.engine.flow import Flow, Link, Opens
from flows.engine.questions import Question
from flows.engine.saying import Saying
from flows.engine.signals import Ended
from flows.engine.values import step_name

T = TypeVar("T")
SIGN_UP = "sign_up"


async def _is_signed_up(session: AsyncSession, member_id: int) -> bool:
    return (await get_member(session, member_id)).is_signed_up


class Chat:
    """A conversation with one member, as a flow sees it."""

    def __init__(self, execution: Execution, prefix: str = "") -> None:
        self._execution = execution
        self._prefix = prefix

    @property
    def channel(self) -> str:
        """The channel's name, e.g. `telegram`."""
        return self._execution.turn.contact.identity.channel

    @property
    def identity_id(self) -> int:
        """The member's account on this channel; the same for the whole conversation."""
        return self._execution.turn.contact.identity.id

    @property
    def now(self) -> datetime:
        """Aware UTC time, the same again whenever the flow is run again."""
        return datetime.fromisoformat(self._mark("now", self._execution.turn.now.isoformat()))

    @property
    def locale(self) -> str:
        """The member's language at this point, `en` or `zh-CN`; texts follow it by themselves."""
        return str(self._mark("locale", self._execution.turn.locale))

    @property
    def said_in(self) -> str | None:
        """Where the member said what was heard last: the proof of a consent. None for what fell due by itself."""
        given = self._execution.turn.given
        found: str | None = self._mark("said_in", None if given is None else given.said_in)
        return found

    async def member(self) -> int:
        """The member's id; a stranger is led through sign-up first, and the flow ends if that did not end well."""
        if not self._mark("member", self._execution.turn.contact.member.is_signed_up):
            await self._sign_up()
        return self._execution.turn.member_id

    async def do(self, function: Callable[..., Awaitable[T]], *args: Any, key: str | None = None, **kwargs: Any) -> T:
        """`await function(session, member_id, *args, **kwargs)` once: database work, atomic with this input.

        Its DomainErrors undo this step alone and are raised here, again in every later run. `key` names the step
        (default: the function's name).
        """
        path = self._path("do", key or step_name(function))
        return await self._execution.call(path, function, args, kwargs, is_effect=True)  # type: ignore[no-any-return] # journaled

    async def look(self, function: Callable[..., Awaitable[T]], *args: Any, key: str | None = None, **kwargs: Any) -> T:
        """Like `do`, for reading: the answer is remembered, so that the flow branches on it the same way again."""
        path = self._path("look", key or step_name(function))
        return await self._execution.call(path, function, args, kwargs, is_effect=False)  # type: ignore[no-any-return] # journaled

    async def say(
        self,
        template: str,
        *,
        key: str | None = None,
        photo: UUID | None = None,
        buttons: Sequence[Sequence[Opens | Link]] = (),
        menu: Sequence[Sequence[str]] | None = None,
        **values: Any,
    ) -> None:
        """Say `flow/step` of `templates/messages/<locale>/<flow>.j2`; what is said in one turn becomes one message.

        `menu` shows the persistent menu from now on: rows of names of flows that start by `Menu`.
        """
        path = self._path("say", key or template)
        await self._execution.say(path, Saying(template, values, photo, buttons, menu))

    async def ask(
        self,
        template: str,
        question: Question[T],
        *,
        key: str | None = None,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - of the member, over days and restarts
        remind: timedelta | None = None,
        stays: bool = False,
        **values: Any,
    ) -> T:
        """Ask until the question is answered. After `remind` it is asked once more.

        A message that `stays` is never replaced by the next question, for instance what a member agrees to.
        Raises AnswerTimedOut after `timeout`, which ends the flow with a word unless it is caught.
        """
        path = self._path("ask", key or template)
        return await self._execution.ask(path, Asking(template, question, values, timeout, remind, stays))  # type: ignore[no-any-return] # journaled

    async def call(self, flow: Flow[T], *args: Any, key: str | None = None) -> T:
        """Run another flow inside this one; what it answers must be JSON-able by its annotation."""
        slot = self._execution.journal.slot(self._path("call", key or flow.name))
        prefix = f"{slot}/"
        return await self._execution.call_flow(slot, prefix, flow, Chat(self._execution, prefix), args)  # type: ignore[no-any-return] # journaled

    async def wait_for(self, job: str, *, key: str | None = None, **arguments: Any) -> Any:
        """Enqueue slow or outside work and wait for what it reports. Raises JobFailed.

        The job gets `arguments` and `reply_to`, for `crm.conversations.wakes.report`.
        """
        return await self._execution.wait_for(self._path("wait", key or job), job, arguments)

    def end(self, outcome: str = "finished") -> NoReturn:
        """End the whole flow, its callers included."""
        raise Ended(outcome)

    def _path(self, kind: str, name: str) -> str:
        return f"{self._prefix}{kind}:{name}"

    def _mark(self, name: str, value: Any) -> Any:
        return self._execution.mark(self._path("mark", name), value)

    async def _sign_up(self) -> None:
        slot = self._execution.journal.slot(self._path("call", SIGN_UP))
        prefix = f"{slot}/"
        if (
            self._execution.is_resumed
            and self._execution.turn.contact.member.is_signed_up
            and not self._execution.has(slot)
        ):
            self._execution.leave(prefix, slot)
        else:
            flow = self._execution.flows.named(SIGN_UP)
            await self._execution.call_flow(slot, prefix, flow, Chat(self._execution, prefix), ())
        if not await self.look(_is_signed_up, key="is_signed_up"):
            self.end("not_signed_up")
