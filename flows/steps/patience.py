"""How long an open question waits: who wanders off is not asked about it weeks later."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flows.engine.chat import Chat
from flows.engine.errors import AnswerTimedOut

A_DAY = timedelta(days=1)
SOME_DAYS = timedelta(days=3)

T = TypeVar("T")
P = ParamSpec("P")


def leaves_quietly(
    function: Callable[Concatenate[Chat, P], Awaitable[T]],
) -> Callable[Concatenate[Chat, P], Coroutine[Any, Any, T]]:
    """A flow that ends without a word when a question was not answered in time; what was done stays done."""

    @wraps(function)
    async def patient(chat: Chat, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await function(chat, *args, **kwargs)
        except AnswerTimedOut:
            chat.end("timed_out")

    return patient
