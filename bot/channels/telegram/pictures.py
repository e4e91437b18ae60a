"""Which pictures a bot has uploaded: once per bot, then by the server's file id."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog
from sqlalchemy import text

from crm.db.session import Sessions
from crm.media import service as media

from .access import DATABASE_AWAY
from .answers import Answer, Upload

log = structlog.get_logger(__name__)
_MOST_KNOWN = 2000
_ONE_UPLOADS = text("SELECT pg_advisory_xact_lock(hashtextextended('siyu.telegram.upload:' || :place, 0))")
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}
Place = tuple[int, UUID]


class Pictures:
    """File ids by bot and picture, remembered in the process and in the database."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._known: dict[Place, str] = {}
        self._uploading: dict[Place, asyncio.Lock] = {}

    async def file_id(self, bot_id: int, media_id: UUID) -> str | None:
        """The file id, if this bot has uploaded the picture. Raises one of DATABASE_AWAY."""
        known = self._known.get((bot_id, media_id))
        if known is None:
            async with self._sessions() as session:
                known = await media.channel_file(session, bot_id, media_id)
            if known is not None:
                self._keep((bot_id, media_id), known)
        return known

    @asynccontextmanager
    async def upload(self, bot_id: int, media_id: UUID) -> AsyncIterator[None]:
        """Hold back others, in all processes, that want to upload the same picture. Raises one of DATABASE_AWAY."""
        place = (bot_id, media_id)
        lock = self._uploading.setdefault(place, asyncio.Lock())
        try:
            # Of each process one waits at the database, so that waiting takes one connection at most.
            async with lock, self._alone(place):
                yield
        finally:
            if place in self._known:
                self._uploading.pop(place, None)

    @asynccontextmanager
    async def _alone(self, place: Place) -> AsyncIterator[None]:
        session = self._sessions()
        try:
            await session.execute(_ONE_UPLOADS, {"place": f"{place[0]}:{place[1]}"})
            yield
        finally:
            # What was uploaded stays so, whatever becomes of the lock.
            with suppress(*DATABASE_AWAY):
                await session.close()

    async def read(self, media_id: UUID) -> Upload:
        """The picture itself. Raises MediaNotFoundError, or one of DATABASE_AWAY."""
        async with self._sessions() as session:
            content_type, content = await media.read(session, media_id)
        return Upload("photo", f"picture.{_ENDINGS.get(content_type, 'jpg')}", content_type, content)

    async def learn(self, bot_id: int, media_id: UUID, answer: Answer) -> None:
        """Keep the file id of a photo that was just uploaded. Never raises: the message is sent."""
        file_id = _file_id(answer.result)
        if file_id is None:
            return
        self._keep((bot_id, media_id), file_id)
        try:
            async with self._sessions.begin() as session:
                await media.remember_channel_file(session, bot_id, media_id, file_id)
        except DATABASE_AWAY as error:
            log.warning("file_id_not_stored", bot_id=bot_id, error=type(error).__name__)

    async def forget(self, bot_id: int, media_id: UUID, file_id: str) -> None:
        """The server does not know this file id any more. Raises one of DATABASE_AWAY."""
        if self._known.get((bot_id, media_id)) != file_id:
            return
        del self._known[bot_id, media_id]
        async with self._sessions.begin() as session:
            await media.forget_channel_file(session, bot_id, media_id)

    def _keep(self, place: Place, file_id: str) -> None:
        if len(self._known) >= _MOST_KNOWN:
            self._known.pop(next(iter(self._known)))
        self._known[place] = file_id


def _file_id(result: object) -> str | None:
    sizes = result.get("photo") if isinstance(result, dict) else None
    largest = sizes[-1] if isinstance(sizes, list) and sizes else None
    file_id = largest.get("file_id") if isinstance(largest, dict) else None
    return file_id if isinstance(file_id, str) and file_id else None
