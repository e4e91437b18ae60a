"""Texts of conversations: shipped files, an operator's wording above them, and a fall back that never fails."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import structlog
from jinja2 import TemplateError, TemplateNotFound
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.db.session import surroundings
from crm.kit.clock import monotonic
from crm.kit.resources import TEMPLATES
from crm.messages import allow_list
from crm.messages.environment import OPERATOR, compiled, shipped
from crm.messages.errors import UnknownTextError
from crm.messages.models import FlowTextRow
from crm.messages.types import Problem

PORT = "flow_texts"
FALLBACK_LOCALE = "en"
_NAME = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")
log = structlog.get_logger(__name__)


@dataclass
class FlowTexts:
    """Renders `flow/step`: block `step` of `<flow>.j2`; remembers operators' wordings for some seconds."""

    remember_seconds: float = 5.0
    _wordings: dict[tuple[str, str], str] = field(default_factory=dict)
    _loaded_at: float | None = None

    async def render(self, session: AsyncSession, name: str, locale: str, values: dict[str, Any]) -> str:
        """Limited HTML of the text. Raises UnknownTextError."""
        wording = (await self._current(session)).get((name, locale))
        if wording is not None:
            try:
                shown = compiled(wording).render({**values, "locale": locale}).strip()
            except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
                # Without the error's text: it may quote what a member wrote.
                log.error("flow_text_broken", name=name, locale=locale, error=type(error).__name__)  # noqa: TRY400
                await _tell(session, name, locale)
                shown = ""
            if shown:
                return shown
        return render_shipped(name, locale, values)

    async def _current(self, session: AsyncSession) -> dict[tuple[str, str], str]:
        now = monotonic()
        if self._loaded_at is None or now - self._loaded_at >= self.remember_seconds:
            rows = await session.execute(select(FlowTextRow.name, FlowTextRow.locale, FlowTextRow.source))
            self._wordings = {(row.name, row.locale): row.source for row in rows}
            self._loaded_at = now
        return self._wordings


async def _tell(session: AsyncSession, name: str, locale: str) -> None:
    detail = f"The wording of {name} in {locale} failed, so members saw the shipped one; correct or reset it."
    await alerts.raise_alert(session, AlertKind.FLOW_TEXT_BROKEN, f"{name} {locale}", detail)


def of(session: AsyncSession) -> FlowTexts:
    """The texts that runtime handed to this session."""
    found = surroundings(session).ports[PORT]
    assert isinstance(found, FlowTexts)
    return found


def render_shipped(name: str, locale: str, values: dict[str, Any]) -> str:
    """The shipped text, in English where the language lacks it. Raises UnknownTextError."""
    flow, _, step = name.partition("/")
    for language in (locale, FALLBACK_LOCALE):
        try:
            template = shipped(language).get_template(f"{flow}.j2")
        except TemplateNotFound:
            continue
        block = template.blocks.get(step)
        if block is not None:
            return "".join(block(template.new_context({**values, "locale": language}))).strip()
    raise UnknownTextError(f"There is no text {name}.")


def names() -> list[str]:
    """Every shipped `flow/step`, in order."""
    found: list[str] = []
    for path in sorted((TEMPLATES / "messages" / FALLBACK_LOCALE).glob("*.j2")):
        found += [f"{path.stem}/{block}" for block in _blocks(path.stem, FALLBACK_LOCALE)]
    return found


@lru_cache(maxsize=1000)
def options(name: str) -> tuple[str, ...]:
    """The options of a question that have a label of their own, in the order of the file."""
    flow, _, step = name.partition("/")
    prefix = f"{step}__"
    return tuple(block.removeprefix(prefix) for block in _blocks(flow, FALLBACK_LOCALE) if block.startswith(prefix))


def source_of(name: str, locale: str) -> str:
    """The shipped source of one text. Raises UnknownTextError."""
    flow, _, step = name.partition("/")
    found = _blocks(flow, locale) if _NAME.fullmatch(name) else {}
    if step not in found:
        raise UnknownTextError(f"There is no text {name} in {locale}.")
    return found[step]


def _blocks(flow: str, locale: str) -> dict[str, str]:
    path = TEMPLATES / "messages" / locale / f"{flow}.j2"
    if not path.is_file():
        return {}
    pattern = re.compile(r"\{%-?\s*block (\w+)\s*-?%\}(.*?)\{%-?\s*endblock[^%]*%\}", re.DOTALL)
    return {match[1]: match[2].strip() for match in pattern.finditer(path.read_text(encoding="utf-8"))}


def problems(name: str, source: str) -> list[Problem]:
    """What is wrong with an operator's wording; it may use the variables and lists that the shipped text uses."""
    paths: set[str] = set()
    lists: set[str] = set()
    for locale in sorted(path.name for path in (TEMPLATES / "messages").iterdir() if path.is_dir()):
        text = _blocks(name.partition("/")[0], locale).get(name.partition("/")[2])
        if text is not None:
            tree = OPERATOR.parse(text)
            paths |= allow_list.paths_in(tree)
            lists |= allow_list.lists_in(tree)
    return allow_list.problems_of(OPERATOR, source, allow_list.Known(frozenset(paths), frozenset(lists)))
