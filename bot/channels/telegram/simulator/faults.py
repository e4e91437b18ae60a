"""Scripted faults: which calls go wrong, how, how often, and in a repeatable order."""

import hashlib
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from .errors import bad_request
from .json_types import Json
from .parameters import Parameters


class FaultKind(StrEnum):
    """What goes wrong."""

    TOO_MANY_REQUESTS = "too_many_requests"
    FORBIDDEN = "forbidden"
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    SERVER_ERROR = "server_error"
    LATENCY = "latency"
    TIMEOUT_AFTER_ACCEPT = "timeout_after_accept"
    RESET_AFTER_ACCEPT = "reset_after_accept"
    RESET_BEFORE_ACCEPT = "reset_before_accept"
    MIGRATE = "migrate"


_SERVER_ERRORS = range(500, 600)
_LONGEST_SECONDS = 3600
AFTER_ACCEPT = {FaultKind.TIMEOUT_AFTER_ACCEPT, FaultKind.RESET_AFTER_ACCEPT}


@dataclass(slots=True)
class Fault:
    """One rule. It matches by bot, method, chat and text, and strikes by count, turn and chance.

    `every=3` strikes each third matching call; `skip` lets the first ones pass; `seconds` is the
    delay of a latency or how long a timeout hangs before the connection is cut.
    """

    id: int
    kind: FaultKind
    bot_id: int | None = None
    method: str | None = None
    chat_id: int | None = None
    contains: str | None = None
    count: int | None = None
    every: int = 1
    skip: int = 0
    probability: float = 1.0
    seed: str = "0"
    retry_after: int = 1
    text: str | None = None
    status: int = 502
    as_html: bool = False
    seconds: float = 0.0
    migrate_to_chat_id: int | None = None
    seen: int = field(default=0)
    struck: int = field(default=0)

    def matches(self, bot_id: int, method: str, parameters: Parameters) -> bool:
        """Whether a call is one that this rule is about."""
        if self.bot_id is not None and self.bot_id != bot_id:
            return False
        if self.method is not None and self.method.lower() != method:
            return False
        values = parameters.values
        if self.chat_id is not None and str(values.get("chat_id")) != str(self.chat_id):
            return False
        said = str(values.get("text") or values.get("caption") or "")
        return self.contains is None or self.contains in said

    def strikes(self) -> bool:
        """Count a matching call and say whether it goes wrong."""
        self.seen += 1
        turn = self.seen - self.skip
        if turn <= 0 or (self.count is not None and self.struck >= self.count):
            return False
        if turn % self.every or not self._chance():
            return False
        self.struck += 1
        return True

    def _chance(self) -> bool:
        digest = hashlib.blake2b(f"{self.seed}/{self.seen}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64 < self.probability

    def as_json(self) -> Json:
        """The rule with its counters."""
        return asdict(self)


class FaultScript:
    """The rules in force, in the order in which they were given; the first that strikes wins."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []
        self._next_id = 1

    def add(self, parameters: Parameters) -> Fault:
        """Put a rule in force; raises a 400 that names the field at fault."""
        rule = _read(parameters, self._next_id)
        self._next_id += 1
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: int | None) -> int:
        """Lift one rule, or all; returns how many were lifted."""
        before = len(self.rules)
        self.rules = [r for r in self.rules if rule_id is not None and r.id != rule_id]
        return before - len(self.rules)

    def strike(self, bot_id: int, method: str, parameters: Parameters, *, is_after_accept: bool) -> Fault | None:
        """The rule that hits this call in this phase, if any."""
        for rule in self.rules:
            in_phase = (rule.kind in AFTER_ACCEPT) is is_after_accept
            if in_phase and rule.matches(bot_id, method, parameters) and rule.strikes():
                return rule
        return None


def _read(parameters: Parameters, rule_id: int) -> Fault:
    try:
        kind = FaultKind(parameters.text("kind"))
    except ValueError:
        raise bad_request(f"kind must be one of: {', '.join(FaultKind)}") from None
    fault = Fault(
        id=rule_id,
        kind=kind,
        bot_id=_optional(parameters, "bot_id"),
        method=parameters.text("method") or None,
        chat_id=_optional(parameters, "chat_id"),
        contains=parameters.text("contains") or None,
        count=_optional(parameters, "count"),
        every=parameters.integer("every", 1),
        skip=parameters.integer("skip", 0),
        probability=parameters.number("probability", 1.0),
        seed=parameters.text("seed", "0"),
        retry_after=parameters.integer("retry_after", 1),
        text=parameters.text("text") or None,
        status=parameters.integer("status", 502),
        as_html=parameters.flag("as_html"),
        seconds=parameters.number("seconds", 0.0),
        migrate_to_chat_id=_optional(parameters, "migrate_to_chat_id"),
    )
    _check(fault)
    return fault


def _optional(parameters: Parameters, name: str) -> int | None:
    return parameters.integer(name) if parameters.has(name) else None


def _check(fault: Fault) -> None:
    if not 0 <= fault.probability <= 1:
        raise bad_request("probability must be between 0 and 1")
    if fault.every < 1 or fault.skip < 0 or (fault.count is not None and fault.count < 1):
        raise bad_request("every and count must be at least 1, skip at least 0")
    if fault.status not in _SERVER_ERRORS:
        raise bad_request("status must be between 500 and 599")
    if not 0 <= fault.seconds <= _LONGEST_SECONDS:
        raise bad_request("seconds must be between 0 and 3600")
    if fault.kind is FaultKind.MIGRATE and (fault.migrate_to_chat_id is None or fault.chat_id is None):
        raise bad_request("migrate needs chat_id and migrate_to_chat_id")
