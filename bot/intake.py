"""Where receivers hand over what came in: stored and committed first, handled right after."""

from bot.dispatcher import Dispatcher
from crm.db.session import Sessions
from crm.inbox import service as inbox


class Intake:
    """Stores raw updates and wakes the dispatcher."""

    def __init__(self, sessions: Sessions, dispatcher: Dispatcher) -> None:
        self._sessions = sessions
        self._dispatcher = dispatcher

    async def __call__(self, *, bot_id: int, update_key: str, chat_key: str, payload: bytes) -> bool:
        """Store the update, committed when this returns; then acknowledge it. False: it was here before."""
        async with self._sessions.begin() as session:
            stored = await inbox.store(
                session, bot_id=bot_id, update_key=update_key, chat_key=chat_key, payload=payload
            )
        if stored is not None:
            self._dispatcher.wake(bot_id, chat_key)
        return stored is not None
