"""The two Jinja2 environments: one for what operators write, one for the texts that are shipped."""

from functools import lru_cache

from jinja2 import ChainableUndefined, Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from crm.kit.resources import TEMPLATES
from crm.messages.filters import FILTERS


def _environment(undefined: type[ChainableUndefined | StrictUndefined], folder: str | None = None) -> Environment:
    loader = None if folder is None else FileSystemLoader(TEMPLATES / "messages" / folder)
    made = ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=True,
        undefined=undefined,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=400,
        auto_reload=False,
    )
    made.filters = dict(FILTERS)
    made.globals = {}
    return made


OPERATOR = _environment(ChainableUndefined)
"""For operators' texts: a missing value is empty, filters are the bounded ones, there are no globals."""


@lru_cache(maxsize=8)
def shipped(locale: str) -> Environment:
    """For the texts in `templates/messages/<locale>/`: a missing value is an error that tests find."""
    made = _environment(StrictUndefined, locale)
    made.globals = {"range": range}
    return made


@lru_cache(maxsize=2000)
def compiled(source: str) -> Template:
    """An operator's text, compiled once per process; it must have passed the allow-list."""
    return OPERATOR.from_string(source)
