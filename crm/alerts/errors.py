"""Errors of alerts."""

from crm.kit.errors import ConflictError, NotFoundError


class AlertNotFound(NotFoundError):
    """There is no such alert."""


class AlertResolved(ConflictError):
    """The alert is resolved already; there is nothing left to acknowledge."""
