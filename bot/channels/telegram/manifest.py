"""Telegram at a glance; light, so that every process may read it."""

from bot.channels.contract import ChannelManifest
from crm.messages.types import ChannelTraits

NAME = "telegram"
TRAITS = ChannelTraits(NAME, paid_rate=1000.0)
_HERE = "bot.channels.telegram"

MANIFEST = ChannelManifest(
    name=NAME,
    title="Telegram",
    traits=TRAITS,
    needs_token=True,
    inbound=f"{_HERE}.inbound:make",
    sender=f"{_HERE}.sender:make",
    router=f"{_HERE}.webhook:make",
    poller=f"{_HERE}.polling:poll",
    start=f"{_HERE}.setup:start",
    keep=f"{_HERE}.setup:keep",
    modes=("polling", "webhook"),
    check_token=f"{_HERE}.setup:check_token",
    diagnose=f"{_HERE}.diagnosis:diagnose",
)
