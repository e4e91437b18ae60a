"""The web chat at a glance; light, so that every process may read it."""

from bot.channels.contract import ChannelManifest
from crm.messages.types import ChannelTraits

NAME = "webchat"
TRAITS = ChannelTraits(NAME, chat_gap=0.0, group_gap=0.0, replies_per_second=1000.0, long_text=None)
"""Sending is an insert into our own tables, so nobody has to be waited for."""
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
    modes=("socket",),
)
