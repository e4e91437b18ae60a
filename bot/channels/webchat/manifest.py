"""The web chat at a glance; light, so that every process may read it."""

from bot.channels.contract import ChannelManifest
from crm.messages.types import ChannelTraits

NAME = "webchat"
TRAITS = ChannelTraits(NAME)
_HERE = "bot.channels.webchat"

MANIFEST = ChannelManifest(
    name=NAME,
    title="Web chat",
    traits=TRAITS,
    needs_token=False,
    inbound=f"{_HERE}.inbound:make",
    sender=f"{_HERE}.sender:make",
    router=f"{_HERE}.routes:make",
    start=f"{_HERE}.setup:start",
)
