"""The settings of a process, read from its environment."""

from pydantic import ValidationError

from crm.config.settings import Settings
from runtime.failures import fail


def read_settings() -> Settings:
    """The settings of this process. Ends the process with a clear sentence when one is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for fault in error.errors(include_url=False, include_input=False):
            name = "SIYU_" + "_".join(str(step) for step in fault["loc"]).upper()
            lines.append(f"{name}: {fault['msg']}.")
        fail("\n".join(lines))
