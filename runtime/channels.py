"""Finds the channels' manifests."""

import importlib
import pkgutil

import bot.channels
from bot.channels.contract import ChannelManifest


def discover_channels() -> dict[str, ChannelManifest]:
    """Every `bot/channels/<name>/manifest.py`, by the channel's name."""
    found: dict[str, ChannelManifest] = {}
    for info in sorted(pkgutil.iter_modules(bot.channels.__path__), key=lambda item: item.name):
        if info.ispkg:
            manifest = importlib.import_module(f"bot.channels.{info.name}.manifest").MANIFEST
            found[manifest.name] = manifest
    return found
