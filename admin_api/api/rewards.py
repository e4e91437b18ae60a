"""Rewards: what points buy."""

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Id, IdPath, Moment, PageOf
from crm.operators.permissions import Permission
from crm.points.types import MAX_POINTS
from crm.rewards import policy
from crm.rewards.service import catalogue
from crm.rewards.types import Access, NewReward, Price, Reward, RewardKind

router = api_router("/api/v1/rewards", "Rewards")
_READ, _WRITE = allow(Permission.REWARDS_READ), allow(Permission.REWARDS_WRITE)
Texts = Annotated[dict[str, Annotated[str, Field(max_length=4000)]], Field(max_length=10)]
TierKey = Annotated[str, Field(min_length=1, max_length=50)]
Many = Annotated[int, Field(ge=1, le=policy.MAX_LIMIT)]
Stock = Annotated[int, Field(ge=0, le=policy.MAX_STOCK, description="What is left; null for no limit.")]
Position = Annotated[int, Field(ge=0, le=1_000_000, description="Place in the catalogue, the smallest first.")]


class PriceBody(Body):
    """Points, and money beside them that is paid when the reward is handed over."""

    points: Annotated[int, Field(ge=1, le=MAX_POINTS)]
    amount: Annotated[Decimal, Field(gt=0, le=policy.MAX_MONEY, max_digits=12, decimal_places=2)] | None = None

    def price(self) -> Price:
        """As the service takes it."""
        return Price(self.points, self.amount)


class AccessBody(Body):
    """Who may have it, how often, and when."""

    limit_per_member: Many | None = None
    tiers: Annotated[list[TierKey], Field(default_factory=list, max_length=policy.MAX_TIERS)]
    tier_limits: Annotated[dict[TierKey, Many], Field(default_factory=dict, max_length=policy.MAX_TIERS)]
    starts_at: Moment | None = None
    ends_at: Moment | None = None

    def access(self) -> Access:
        """As the service takes it."""
        return Access(**dict(self))


class RewardBody(Body):
    """A reward to be made."""

    name: Texts
    description: Annotated[Texts, Field(default_factory=dict)]
    kind: RewardKind
    price: PriceBody
    coupon_id: Id | None = Field(None, description="Whose vouchers it gives; for kind `voucher` only.")
    photo_media_id: UUID | None = None
    stock: Stock | None = None
    access: Annotated[AccessBody, Field(default_factory=lambda: AccessBody(tiers=[], tier_limits={}))]
    needs_address: bool = False
    position: Position = 0


class RewardChange(Body):
    """Fields to change; what is left out stays."""

    name: Texts = Field(default_factory=dict)
    description: Texts = Field(default_factory=dict)
    price: PriceBody | None = None
    access: AccessBody | None = None
    photo_media_id: UUID | None = None
    position: Position = 0
    is_active: bool = True


class StockBody(Body):
    """What is left from now on."""

    stock: Stock | None


@router.get("", dependencies=[_READ], name="reward.list", summary="List rewards")
async def list_rewards(edge: EdgeOf) -> PageOf[Reward]:
    """The whole catalogue, in its order."""
    return PageOf(items=await catalogue.listing(edge.session))


@router.post("", dependencies=[_WRITE], name="reward.create", summary="Make a reward", status_code=201)
async def create_reward(edge: EdgeOf, body: RewardBody) -> Reward:
    """Offered from now on, or from `starts_at`."""
    plain = body.model_dump(exclude={"price", "access"})
    new = NewReward(**plain, price=body.price.price(), access=body.access.access())
    reward = await catalogue.create(edge.session, new)
    edge.note("reward.create", f"reward:{reward.id}", after={"name": reward.name, "points": reward.price.points})
    return reward


@router.get("/{reward_id}", dependencies=[_READ], name="reward.read", summary="Read a reward")
async def read_reward(edge: EdgeOf, reward_id: IdPath) -> Reward:
    """With what is left and how many were redeemed."""
    return await catalogue.get(edge.session, reward_id)


@router.patch("/{reward_id}", dependencies=[_WRITE], name="reward.change", summary="Change a reward")
async def change_reward(edge: EdgeOf, reward_id: IdPath, body: RewardChange) -> Reward:
    """What was redeemed before keeps its price."""
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if body.price is not None:
        given["price"] = body.price.price()
    if body.access is not None:
        given["access"] = body.access.access()
    reward = await catalogue.change(edge.session, reward_id, **given)
    edge.note("reward.change", f"reward:{reward_id}", after=body.model_dump(mode="json", exclude_unset=True))
    return reward


@router.put("/{reward_id}/stock", dependencies=[_WRITE], name="reward.set_stock", summary="Set a reward's stock")
async def set_stock(edge: EdgeOf, reward_id: IdPath, body: StockBody) -> Reward:
    """Counts down from here with every redemption."""
    before = await catalogue.get(edge.session, reward_id)
    reward = await catalogue.set_stock(edge.session, reward_id, body.stock)
    edge.note("reward.set_stock", f"reward:{reward_id}", before={"stock": before.stock}, after={"stock": reward.stock})
    return reward
