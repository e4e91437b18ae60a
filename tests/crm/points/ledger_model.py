"""A plain model of the ledger, to hold the real one against: lots in lists, no database."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Lot:
    """Points that were earned together."""

    remaining: int
    earned_at: datetime
    expires_at: datetime | None
    number: int


@dataclass
class Wallet:
    """What one member holds and owes, by the simplest code that could be right."""

    lots: list[Lot] = field(default_factory=list)
    debt: int = 0
    held: int = 0
    pending: int = 0
    count: int = 0

    @property
    def balance(self) -> int:
        """All that was not used up or expired."""
        return sum(lot.remaining for lot in self.lots)

    def remaining(self) -> list[int]:
        """What is left of each lot, oldest lot first."""
        return [lot.remaining for lot in sorted(self.lots, key=lambda lot: lot.number) if lot.remaining]

    def earn(self, points: int, now: datetime, expires_at: datetime | None) -> None:
        """A debt is made good first."""
        repaid = min(points, self.debt)
        self.debt -= repaid
        if points > repaid:
            self._add(points - repaid, now, expires_at)

    def spend(self, points: int, now: datetime) -> list[tuple[Lot, int]] | None:
        """Take points, oldest expiry first; None when there are not enough."""
        self.expire(now)
        return None if points > self.balance else self._take(points)

    def claw_back(self, points: int, now: datetime) -> None:
        """Take what is there; the rest is owed."""
        self.expire(now)
        taken = min(points, self.balance)
        self._take(taken)
        self.debt += points - taken

    def restore(self, used: list[tuple[Lot, int]]) -> None:
        """Give used points back with the expiry that they had, a debt first."""
        repaid = min(sum(amount for _, amount in used), self.debt)
        self.debt -= repaid
        for lot, amount in used:
            kept = max(0, amount - repaid)
            repaid -= amount - kept
            if kept:
                self._add(kept, lot.earned_at, lot.expires_at)

    def expire(self, now: datetime) -> None:
        """What has run out is gone."""
        for lot in self.lots:
            if lot.expires_at is not None and lot.expires_at <= now:
                lot.remaining = 0

    def _add(self, points: int, earned_at: datetime, expires_at: datetime | None) -> None:
        self.count += 1
        self.lots.append(Lot(points, earned_at, expires_at, self.count))

    def _take(self, points: int) -> list[tuple[Lot, int]]:
        def order(lot: Lot) -> tuple[bool, float, datetime, int]:
            return (
                lot.expires_at is None,
                lot.expires_at.timestamp() if lot.expires_at else 0,
                lot.earned_at,
                lot.number,
            )

        used = []
        for lot in sorted(self.lots, key=order):
            amount = min(points, lot.remaining)
            if amount:
                lot.remaining -= amount
                points -= amount
                used.append((lot, amount))
        return used
