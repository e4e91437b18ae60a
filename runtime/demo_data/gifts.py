"""A gift of points that do not last: some are spent in time, the others run out, as in any shop."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from crm.points import expiry
from crm.points import service as points
from runtime.demo_data.dice import Dice
from runtime.demo_data.moving import set_clock
from runtime.demo_data.people import Person

_LASTS = timedelta(days=60)
_POINTS = 60
_SPENDERS = 0.55


class Gift:
    """The welcome tasting of one person: points on the day of joining, perhaps a tasting, perhaps an end."""

    def __init__(self, person: Person, joined: datetime) -> None:
        dice = Dice(f"gift {person.number}")
        self._number = person.number
        self._ends = joined + _LASTS
        is_spent = dice.chance() < _SPENDERS
        self._spends = joined + timedelta(days=dice.whole(2, 50)) if is_spent else None
        self._price = dice.pick((20, 35, 60))
        self._is_over = False

    async def give(self, session: AsyncSession, member_id: int) -> None:
        """On the day of joining."""
        key = f"demo:tasting:{self._number}"
        await points.earn(session, member_id, _POINTS, rule="Welcome tasting", key=key, expires_at=self._ends)

    async def until(self, session: AsyncSession, member_id: int, moment: datetime) -> None:
        """What became of it up to `moment`, each at its time."""
        if self._spends is not None and self._spends <= moment:
            await set_clock(session, self._spends)
            key = f"demo:tasted:{self._number}"
            await points.redeem(session, member_id, self._price, reason="Tea tasting", key=key)
            self._spends = None
        if not self._is_over and self._ends <= moment:
            await set_clock(session, self._ends)
            await expiry.expire(session, member_id=member_id)
            self._is_over = True
