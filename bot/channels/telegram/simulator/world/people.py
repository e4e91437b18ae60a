"""Pretend people and the groups that they share with bots."""

from dataclasses import dataclass, field

from bot.channels.telegram.simulator.json_types import Json

_FIRST_SUPERGROUP = -1_000_000_000_000


@dataclass(slots=True)
class Person:
    """A pretend user; `phone` is what sharing the own contact sends."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = ""
    phone: str = ""
    is_deactivated: bool = False

    def as_user(self) -> Json:
        """The Bot API's User object; absent fields are left out."""
        user: Json = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        for name in ("last_name", "username", "language_code"):
            if getattr(self, name):
                user[name] = getattr(self, name)
        return user

    def as_chat(self) -> Json:
        """The Bot API's private Chat object."""
        chat: Json = {"id": self.id, "type": "private", "first_name": self.first_name}
        for name in ("last_name", "username"):
            if getattr(self, name):
                chat[name] = getattr(self, name)
        return chat


@dataclass(slots=True)
class Group:
    """A group chat; after a migration `migrated_to` names the supergroup that took over."""

    chat_id: int
    title: str
    person_ids: list[int] = field(default_factory=list)
    bot_ids: list[int] = field(default_factory=list)
    kicked_bot_ids: list[int] = field(default_factory=list)
    migrated_to: int | None = None

    def as_chat(self) -> Json:
        """The Bot API's Chat object; ids below -10^12 are supergroups."""
        kind = "supergroup" if self.chat_id < _FIRST_SUPERGROUP else "group"
        return {"id": self.chat_id, "type": kind, "title": self.title}
