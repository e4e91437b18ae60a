"""Showing a question: its text, its buttons, and what the device may share."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from crm.messages.types import Button
from flows.engine.buttons import DONE, SKIP, answer_data
from flows.engine.questions import Question
from flows.engine.reading import OpenQuestion, Shape, label_in
from flows.engine.state import Run
from flows.engine.turn import Turn, as_outbound

_CHOSEN = "✅ "


@dataclass(frozen=True)
class Asking:
    """What a flow asks: the text, the question, and how long it may wait."""

    template: str
    question: Question[Any]
    values: Mapping[str, Any]
    timeout: timedelta | None = None
    remind: timedelta | None = None
    stays: bool = False


@dataclass(frozen=True)
class Presenter:
    """A question on its way to the member."""

    turn: Turn
    run: Run
    asking: Asking


async def present(show: Presenter, asked: OpenQuestion) -> None:
    """Show the question. What is shown is noted on `asked`."""
    turn = show.turn
    rendered = await turn.render(show.asking.template, **show.asking.values)
    shape = show.asking.question.shape(turn.locale)
    asked.wants_text = shape.wants_text
    asked.options = [
        [option.key, label_in(option.label, turn.locale) or rendered.labels.get(option.key) or option.key]
        for option in shape.options
    ]
    rows = _option_rows(show.run, asked, shape) + await _special_rows(show, asked, shape)
    message = as_outbound(rendered)
    if not turn.traits.has_buttons:
        text = _with_numbers(message.text_html, asked, has_html=turn.traits.has_html)
        message, rows = replace(message, text_html=text), ()
    request = shape.request
    label = await _label(turn, f"engine/share_{request}_button") if request and turn.traits.has_buttons else None
    turn.said.append(replace(message, buttons=message.buttons + rows, request=request, request_label=label))


def _option_rows(run: Run, asked: OpenQuestion, shape: Shape) -> tuple[tuple[Button, ...], ...]:
    buttons = [
        Button((_CHOSEN if key in asked.draft else "") + label, answer_data(run.number, asked.step, index))
        for index, (key, label) in enumerate(asked.options)
    ]
    return tuple(tuple(buttons[start : start + shape.columns]) for start in range(0, len(buttons), shape.columns))


async def _special_rows(show: Presenter, asked: OpenQuestion, shape: Shape) -> tuple[tuple[Button, ...], ...]:
    wanted = [(shape.takes_several, "engine/done_button", DONE), (shape.can_skip, "engine/skip_button", SKIP)]
    row = [
        Button(await _label(show.turn, template), answer_data(show.run.number, asked.step, index))
        for is_wanted, template, index in wanted
        if is_wanted
    ]
    return (tuple(row),) if row else ()


async def _label(turn: Turn, template: str) -> str:
    text = (await turn.render(template)).text_html
    return (html.unescape(text) if turn.traits.has_html else text).strip()


def _with_numbers(text: str, asked: OpenQuestion, *, has_html: bool) -> str:
    lines = [f"{number}. {label}" for number, (_, label) in enumerate(asked.options, start=1)]
    shown = [html.escape(line, quote=False) if has_html else line for line in lines]
    return "\n".join([text, *shown])
