"""What can go wrong with operators, sessions, links and keys."""

from crm.kit.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError


class OperatorNotFoundError(NotFoundError):
    """There is no such operator."""


class SessionNotFoundError(NotFoundError):
    """There is no such session of yours."""


class ApiKeyNotFoundError(NotFoundError):
    """There is no such API key."""


class LinkedChatNotFoundError(NotFoundError):
    """This chat is not linked to you."""


class LinkNotFoundError(NotFoundError):
    """This link was used, replaced or has expired; ask for a new one."""


class EmailTakenError(ConflictError):
    """An operator with this email address exists already."""


class LastOwnerError(ConflictError):
    """At least one active owner must remain; make another operator an owner first."""


class SetupDoneError(ConflictError):
    """The first operator exists already; sign in, or ask for an invitation."""


class InvalidEmailError(InvalidError):
    """This is no email address; it looks like name@shop.example."""


class InvalidOperatorNameError(InvalidError):
    """An operator needs a name of 1 to 64 characters."""


class WeakPasswordError(InvalidError):
    """This password is too easy to guess; take a longer one, such as four words that do not belong together."""


class WrongPasswordError(InvalidError):
    """Email or password is wrong."""


class UnknownScopeError(InvalidError):
    """An API key's scopes are permissions such as members:read, or * for all."""


class InvalidApiKeyError(InvalidError):
    """An API key needs a name, at least one scope, and an expiry in the future or none."""


class InvalidAddressError(InvalidError):
    """Allowed addresses are IP addresses or networks such as 10.0.0.0/8."""


class RoleNotAllowedError(ForbiddenError):
    """Only an owner may make, change or disable an owner."""


class ScopeNotAllowedError(ForbiddenError):
    """You cannot give a key more than you may do yourself."""


class ChatCodeWrongError(InvalidError):
    """This code is wrong or has expired; make a new one on the settings page."""


class IdempotencyInFlightError(ConflictError):
    """A request with this Idempotency-Key is being worked on; try again in a moment."""


class IdempotencyMismatchError(InvalidError):
    """This Idempotency-Key was used for another request; take a new key for a new request."""
