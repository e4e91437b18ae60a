"""Tables of surveys: definitions, pinned versions, responses and answers."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp


class SurveyRow(Base):
    """A survey as operators edit it."""

    __tablename__ = "surveys"
    __table_args__ = (CheckConstraint("status IN ('draft', 'published', 'archived')", name="status"),)

    id: Mapped[BigId]
    key: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="draft")
    is_repeatable: Mapped[bool] = mapped_column(server_default="false")
    draft: Mapped[dict[str, Any]] = mapped_column(JSONB)
    published_version: Mapped[int | None] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[CreatedAt]
    changed_at: Mapped[CreatedAt]


class SurveyVersionRow(Base):
    """What a survey asked when it was published; responses pin it."""

    __tablename__ = "survey_versions"

    survey_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("surveys.id"), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    published_at: Mapped[Timestamp]


class ResponseRow(Base):
    """One member's way through a survey."""

    __tablename__ = "survey_responses"
    __table_args__ = (UniqueConstraint("survey_id", "member_id", "attempt"), Index(None, "member_id"))

    id: Mapped[BigId]
    survey_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("surveys.id"))
    version: Mapped[int] = mapped_column(Integer)
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    attempt: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[Timestamp]
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    nps: Mapped[int | None] = mapped_column(SmallInteger)


class AnswerRow(Base):
    """One answer; JSON null when the question was skipped, {} when it stands in `text_sealed`."""

    __tablename__ = "survey_answers"
    __table_args__ = (Index(None, "member_id"), Index(None, "survey_id", "question"))

    response_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("survey_responses.id"), primary_key=True)
    question: Mapped[str] = mapped_column(Text, primary_key=True)
    survey_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("surveys.id"))
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    value: Mapped[Any] = mapped_column(JSONB(none_as_null=False))
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    answered_at: Mapped[Timestamp]
