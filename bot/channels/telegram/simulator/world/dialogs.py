"""A chat's messages in order, with what became of each."""

from dataclasses import dataclass, field

from bot.channels.telegram.simulator.json_types import Json


@dataclass(slots=True)
class Message:
    """One message; `body` is the Bot API's object, `bot_id` the sending bot or 0 for a person.

    `sequence` grows with every change anywhere, so a reader can ask for what is new.
    """

    message_id: int
    body: Json
    bot_id: int
    sequence: int
    markup: Json | None = None
    is_deleted: bool = False
    earlier: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Dialog:
    """A private chat of a person with a bot (`chat_id` is the person), or a group (`bot_id` 0)."""

    bot_id: int
    chat_id: int
    next_message_id: int = 1
    is_started: bool = False
    is_blocked: bool = False
    keyboard: Json | None = None

    @property
    def key(self) -> str:
        """The dialog's name in the store."""
        return f"{self.bot_id}/{self.chat_id}"


@dataclass(slots=True)
class CallbackQuery:
    """A pressed inline button that waits for its answer."""

    id: str
    bot_id: int
    person_id: int
    chat_id: int
    message_id: int
    asked_at: float
    answer: Json | None = None
