"""Public values of surveys."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

END = "end"
"""Where a jump goes that finishes the survey."""


class SurveyStatus(StrEnum):
    """Whether members can answer."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


@dataclass(frozen=True)
class When:
    """A test on one answer; everything that is given must hold, nothing given always holds."""

    any_of: list[str | int] = field(default_factory=list)
    at_least: int | None = None
    at_most: int | None = None

    @property
    def is_always(self) -> bool:
        """Whether it tests nothing."""
        return not self.any_of and self.at_least is None and self.at_most is None


@dataclass(frozen=True)
class Jump:
    """Where to go after an answer: the key of a later question, or `end`."""

    when: When
    to: str


@dataclass(frozen=True)
class TagRule:
    """A tag for members whose answer fits."""

    when: When
    tag: str


@dataclass(frozen=True)
class Option:
    """One answer to choose; `label` by locale."""

    key: str
    label: dict[str, str]
    tag: str | None = None


@dataclass(frozen=True)
class Question:
    """One question; `title` by locale. `scale` is the best rating."""

    key: str
    type: str
    title: dict[str, str]
    options: list[Option] = field(default_factory=list)
    is_required: bool = True
    jumps: list[Jump] = field(default_factory=list)
    tags: list[TagRule] = field(default_factory=list)
    scale: int = 5


@dataclass(frozen=True)
class Definition:
    """What a survey asks; texts by locale."""

    questions: list[Question]
    intro: dict[str, str]
    thanks: dict[str, str]


@dataclass(frozen=True)
class Survey:
    """A survey as operators keep it; `definition` is the draft, members answer the published version."""

    id: int
    key: str
    name: str
    status: SurveyStatus
    is_repeatable: bool
    definition: dict[str, Any]
    published_version: int | None
    has_unpublished_changes: bool
    version: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class SurveyOffer:
    """A survey that a member can answer now."""

    survey_id: int
    key: str
    name: str
    is_started: bool


@dataclass(frozen=True)
class SurveyRun:
    """A member's way through one pinned version: what is asked, and what was answered so far."""

    response_id: int
    survey_id: int
    key: str
    version: int
    is_new: bool
    questions: list[Question]
    answers: dict[str, Any]
    intro: dict[str, str]
    thanks: dict[str, str]


@dataclass(frozen=True)
class SurveyOutcome:
    """What finishing a survey gave; `is_new` False: it was finished before."""

    points: int
    balance: int
    nps: int | None
    is_new: bool
    pending: int = 0
    """Points that can be spent later."""


@dataclass(frozen=True)
class NpsResult:
    """Net promoter score: share of 9-10 minus share of 0-6, in percent from -100 to 100."""

    promoters: int
    passives: int
    detractors: int
    score: float


@dataclass(frozen=True)
class QuestionResult:
    """How one question was answered; `counts` by option key or number, `texts` the latest ones."""

    key: str
    type: str
    title: dict[str, str]
    answered: int
    skipped: int
    counts: dict[str, int]
    average: float | None
    nps: NpsResult | None
    texts: list[str]


@dataclass(frozen=True)
class SurveyResults:
    """What finished responses say."""

    survey_id: int
    started: int
    completed: int
    questions: list[QuestionResult]
