"""A bot as the server knows it: its token, its profile, its commands, its webhook."""

from dataclasses import dataclass, field

from bot.channels.telegram.simulator.json_types import Json

DEFAULT_OFF = {"chat_member", "message_reaction", "message_reaction_count"}


@dataclass(slots=True)
class Webhook:
    """Where a bot wants its updates sent, and how sending went last."""

    url: str
    secret_token: str = ""
    max_connections: int = 40
    last_error_date: int | None = None
    last_error_message: str = ""
    gone_since: float | None = None


@dataclass(slots=True)
class Bot:
    """One bot; `allowed_updates` of None is the default set."""

    id: int
    token: str
    username: str
    name: str
    description: str = ""
    short_description: str = ""
    reads_groups: bool = False
    is_logged_out: bool = False
    next_update_id: int = 1
    allowed_updates: list[str] | None = None
    webhook: Webhook | None = None
    commands: dict[str, list[Json]] = field(default_factory=dict)
    menu_buttons: dict[str, Json] = field(default_factory=dict)
    localised: dict[str, str] = field(default_factory=dict)

    def as_user(self) -> Json:
        """The Bot API's User object as it stands in messages."""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.name,
            "username": self.username,
        }

    def wants(self, update_type: str) -> bool:
        """Whether updates of this type are to be kept for the bot."""
        if self.allowed_updates is None:
            return update_type not in DEFAULT_OFF
        return update_type in self.allowed_updates
