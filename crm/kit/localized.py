"""Texts that members read in their own language: one for each locale, of which some may be missing."""

from collections.abc import Mapping

from crm.kit.text import clean_name, clean_text

LOCALES = ("zh-CN", "en")
"""In which Siyu speaks."""


def clean_names(names: Mapping[str, str]) -> dict[str, str]:
    """Cleaned names by locale; without empty ones and other languages."""
    cleaned = {locale: clean_name(names.get(locale, "")) for locale in LOCALES}
    return {locale: name for locale, name in cleaned.items() if name}


def clean_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """The same for longer texts, which keep their lines."""
    cleaned = {locale: clean_text(texts.get(locale, "")).strip() for locale in LOCALES}
    return {locale: text for locale, text in cleaned.items() if text}
