"""The demo says which step failed, and nothing else is taken for a failed step."""

from runtime.commands.demo import _failure
from runtime.commands.demo_steps.script import StepFailed


def test_a_failed_step_is_found_among_what_was_running() -> None:
    step = StepFailed("the bot did not say 'Hello'")
    assert _failure(step) is step
    assert _failure(ExceptionGroup("tasks", [OSError(), ExceptionGroup("more", [step])])) is step
    assert _failure(ExceptionGroup("tasks", [OSError()])) is None
    assert _failure(TimeoutError()) is None
