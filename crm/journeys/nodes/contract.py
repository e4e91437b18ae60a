"""What a kind of node brings. Nodes work on many members at once: a statement a batch, never one a member."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Parameters


@dataclass(frozen=True)
class Begun:
    """What is known of a journey's beginning when its nodes are checked."""

    variables: frozenset[str] = frozenset()
    """What texts may say of it, such as `trigger.points`."""


@dataclass(frozen=True)
class Way:
    """One member's way: the enrollment, and how often they had entered before."""

    enrollment_id: int
    occurrence: int = 0


@dataclass(frozen=True)
class Batch:
    """Members who stand at the same node of the same version at the same time."""

    journey_id: int
    version: int
    node: str
    member_ids: Sequence[int]
    now: datetime
    ways: Mapping[int, Way] = field(default_factory=dict)
    """By member."""

    def key(self, member_id: int) -> str:
        """Names this member's stay at this node: what a gift is unique by."""
        return f"journey:{self.ways[member_id].enrollment_id}:{self.node}"


@dataclass(frozen=True)
class Verdict:
    """Which exit each member takes, and from when on; members left out end here with outcome `dropped`."""

    exits: Mapping[str, Sequence[int]]
    due_at: datetime | None = None
    """When the next node is due; None: at once."""
    dues: Mapping[int, datetime] = field(default_factory=dict)
    """The same by member, where it is not one time for all."""


@runtime_checkable
class Node(Protocol):
    """A kind of node."""

    kind: str
    label: str
    parameters: type[Parameters]
    exits: tuple[str, ...]

    async def check(self, session: AsyncSession, parameters: Any, begun: Begun) -> list[tuple[str, str]]:
        """What is wrong with the parameters beyond their schema, as (path, text)."""
        ...

    async def run(self, session: AsyncSession, parameters: Any, batch: Batch) -> Verdict:
        """Do it for every member of the batch, in the caller's transaction."""
        ...
