"""What the providers of channels say of our bots."""

from collections.abc import Mapping

from bot.channels.contract import ChannelContext, ChannelManifest, Trouble
from crm.kit.parts import load_part

from .findings import Finding


async def look(manifests: Mapping[str, ChannelManifest], context: ChannelContext) -> list[Finding]:
    """One finding per trouble, or a fine one per channel."""
    found = []
    for manifest in manifests.values():
        if manifest.diagnose is not None:
            troubles: list[Trouble] = await load_part(manifest.diagnose)(context)
            name = manifest.title
            found += [Finding(f"{name}, {item.bot}", item.text, item.is_fatal) for item in troubles] or [Finding(name)]
    return found
