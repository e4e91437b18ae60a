"""What can be wrong with a bot."""

from crm.kit.errors import ConflictError, InvalidError, NotFoundError


class BotNotFound(NotFoundError):
    """There is no such bot."""


class TokenTaken(ConflictError):
    """Another bot uses this token already; a token belongs to one bot."""


class InvalidBot(InvalidError):
    """The bot's settings are not valid."""
