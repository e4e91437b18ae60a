"""Sentences that were put together at run time, said in another language: the texts of errors, alerts and formulas.

Whoever puts one together writes it in English, and so it is stored and told by the API. A catalogue knows it by its
template: `there is no coupon {coupon}`. What stands at the places is found again and set into the translation.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

_PLACE = re.compile(r"\{(\w+)\}")
_LONGEST = 4000
"""Characters of a sentence that is looked at; nothing of ours is longer."""
VERBATIM = "name"
"""The place of what people named themselves; everything else is translated where the catalogue knows it."""
Say = Callable[[str], str]


@dataclass(frozen=True)
class Template:
    """A sentence with places: `pieces` of text around the `places`, one more than these."""

    pieces: tuple[str, ...]
    places: tuple[str, ...]
    translation: str

    def found_in(self, sentence: str) -> dict[str, str] | None:
        """What stands at each place of `sentence`; None when it is another sentence. Takes linear time."""
        first, *between, last = self.pieces
        end = len(sentence) - len(last)
        if not sentence.startswith(first) or not sentence.endswith(last) or end <= len(first):
            return None
        values, start = [], len(first)
        for piece in between:
            at = sentence.find(piece, start + 1, end)
            if at < 0:
                return None
            values.append(sentence[start:at])
            start = at + len(piece)
        values.append(sentence[start:end])
        return dict(zip(self.places, values, strict=True)) if start < end else None


def templates(sentences: Mapping[str, str]) -> tuple[Template, ...]:
    """The sentences with places among these, the most telling first."""
    made = (_template(sentence, translation) for sentence, translation in sentences.items())
    return tuple(sorted((item for item in made if item.places), key=_length, reverse=True))


def translated(sentence: str, known: Iterable[Template], say: Say) -> str:
    """`sentence` by the first template that it fits, with what stands at its places; else as it is."""
    if len(sentence) > _LONGEST:
        return sentence
    for template in known:
        found = template.found_in(sentence)
        if found is not None:
            values = {place: value if place == VERBATIM else say(value) for place, value in found.items()}
            return _PLACE.sub(lambda place, values=values: values[place[1]], template.translation)  # type: ignore[misc]  # bound at once
    return sentence


def _template(sentence: str, translation: str) -> Template:
    places = tuple(_PLACE.findall(sentence))
    pieces = tuple(_PLACE.split(sentence)[::2])
    return Template(pieces, places, translation)


def _length(template: Template) -> int:
    return sum(map(len, template.pieces))
