"""Where a page finds its scripts and styles: logical names to the hashed files of the build."""

import json
from functools import cache
from pathlib import Path

from crm.kit.resources import ROOT

ASSETS_FOLDER = ROOT / "admin_api" / "assets"
ASSETS_PATH = "/assets"


class AssetsMissingError(RuntimeError):
    """The browser assets were not built: run `make assets`."""


def asset_url(name: str) -> str:
    """URL path of a built asset, such as `console.js`; use it as a template global.

    Raises `AssetsMissingError` when the assets were not built or do not hold that name.
    """
    files = _manifest(ASSETS_FOLDER)
    if name not in files:
        message = f"The built assets hold no {name!r}: run `make assets` to build them again."
        raise AssetsMissingError(message)
    return f"{ASSETS_PATH}/{files[name]}"


def asset_file(name: str) -> Path:
    """File of a built asset, for the few that are served under a name of their own."""
    return ASSETS_FOLDER / asset_url(name).removeprefix(f"{ASSETS_PATH}/")


@cache
def _manifest(folder: Path) -> dict[str, str]:
    try:
        text = (folder / "manifest.json").read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        message = "The browser assets were not built: run `make assets`."
        raise AssetsMissingError(message) from missing
    return {str(name): str(file) for name, file in json.loads(text).items()}
