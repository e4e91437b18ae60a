"""Tables of operators, their sessions, links, chats and API keys."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

_TIME = DateTime(timezone=True)


class OperatorRow(Base):
    """One of the staff; the email address is sealed and found by its blind index."""

    __tablename__ = "operators"

    id: Mapped[BigId]
    email_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    email_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedAt]
    last_signed_in_at: Mapped[datetime | None] = mapped_column(_TIME)


class SessionRow(Base):
    """A signed-in browser; the cookie's token is stored as its digest only."""

    __tablename__ = "operator_sessions"

    id: Mapped[BigId]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    operator_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("operators.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Timestamp]
    last_seen_at: Mapped[Timestamp]
    confirmed_at: Mapped[Timestamp]
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True)
    ip: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)


class LinkRow(Base):
    """A one-time link: first setup, an invitation, a password reset."""

    __tablename__ = "operator_links"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    role: Mapped[str | None] = mapped_column(Text)
    operator_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("operators.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[Timestamp]
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True)
    used_at: Mapped[datetime | None] = mapped_column(_TIME)


class ApiKeyRow(Base):
    """A key for programs; its secret is stored as its digest only."""

    __tablename__ = "api_keys"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    allowed_ips: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("operators.id"))
    created_at: Mapped[Timestamp]
    expires_at: Mapped[datetime | None] = mapped_column(_TIME)
    last_used_at: Mapped[datetime | None] = mapped_column(_TIME)
    last_used_ip: Mapped[str | None] = mapped_column(Text)
    revoked_at: Mapped[datetime | None] = mapped_column(_TIME)


class IdempotencyRow(Base):
    """What a request with an Idempotency-Key was answered; the body is sealed, for it may hold personal data."""

    __tablename__ = "idempotency_keys"

    principal: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    operation: Mapped[str] = mapped_column(Text)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    response_status: Mapped[int] = mapped_column(SmallInteger)
    response_type: Mapped[str] = mapped_column(Text)
    response_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(_TIME, index=True)


class OperatorIdentityRow(Base):
    """A chat that an operator proved to be theirs."""

    __tablename__ = "operator_identities"

    operator_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True
    )
    identity_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    linked_at: Mapped[Timestamp]


class ChatCodeRow(Base):
    """The code that an operator is to type in a chat; one at a time."""

    __tablename__ = "operator_chat_codes"

    operator_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True
    )
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime] = mapped_column(_TIME, index=True)
