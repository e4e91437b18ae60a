"""Build hook: a wheel carries the built browser assets, so that its users need no Node."""

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsBuildHook(BuildHookInterface[Any]):
    """Builds admin_api/assets before a wheel or an editable install is made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the assets; nothing is done when they are up to date."""
        del version, build_data
        script = Path(self.root) / "frontend" / "build.py"
        spec = importlib.util.spec_from_file_location("siyu_frontend_build", script)
        if spec is None or spec.loader is None:
            message = f"{script} is missing from this source tree."
            raise FileNotFoundError(message)
        builder = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(builder)
        builder.build()
