"""What may be said of an error in logs, rows and alerts: its kind and its place, never its text."""

import traceback


def where(error: BaseException) -> str:
    """The kind of an error and where it arose; its text may quote what a person wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or list(frames)
    if not ours:
        return type(error).__name__
    last = ours[-1]
    file = "/".join(last.filename.rsplit("/", 2)[-2:])
    return f"{type(error).__name__} at {file}:{last.lineno} in {last.name}"
