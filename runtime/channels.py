"""Finds the channels' manifests and loads the parts that this process uses."""

import importlib
import pkgutil
from typing import Any

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


def load_part(path: str) -> Any:
    """What `module:attribute` names."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)
