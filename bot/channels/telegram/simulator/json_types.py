"""The one name for a JSON object whose shape another party defines."""

from typing import Any

Json = dict[str, Any]
