"""What can be wrong with a Telegram bot, for those who set it up."""

from crm.kit.errors import InvalidError, UnavailableError


class InvalidTelegramToken(InvalidError):
    """Telegram knows no bot with this token; copy it again from @BotFather."""


class TelegramUnavailable(UnavailableError):
    """Telegram cannot be reached now; check the connection and SIYU_TELEGRAM_API_BASE, and try again."""
