"""What a kind of node brings. Nodes work on many members at once: a statement a batch, never one a member."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Parameters


@dataclass(frozen=True)
class Batch:
    """Members who stand at the same node of the same version at the same time."""

    journey_id: int
    version: int
    node: str
    member_ids: Sequence[int]
    now: datetime


@dataclass(frozen=True)
class Verdict:
    """Which exit each member takes, and from when on; members left out end here with outcome `dropped`."""

    exits: Mapping[str, Sequence[int]]
    due_at: datetime | None = None
    """When the next node is due; None: at once."""


@runtime_checkable
class Node(Protocol):
    """A kind of node."""

    kind: str
    label: str
    parameters: type[Parameters]
    exits: tuple[str, ...]

    async def check(self, session: AsyncSession, parameters: Any) -> list[tuple[str, str]]:
        """What is wrong with the parameters beyond their schema, as (path, text)."""
        ...

    async def run(self, session: AsyncSession, parameters: Any, batch: Batch) -> Verdict:
        """Do it for every member of the batch, in the caller's transaction."""
        ...
