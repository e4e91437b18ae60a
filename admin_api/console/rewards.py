"""Rewards: the catalogue, the form, and one reward with its picture and stock."""

from typing import Annotated, Any

from fastapi import File, Form, Response, UploadFile

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import rewards as api
from admin_api.console import pictures, reward_values
from admin_api.console.forms import Text, body_of
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.pages import again, redirect, render
from admin_api.console.reward_values import RewardForm
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.rewards.service import catalogue

router = page_router(f"{ROOT}/rewards")
HERE = f"{ROOT}/rewards"
_READ, _WRITE = allow(Permission.REWARDS_READ), allow(Permission.REWARDS_WRITE)
Posted = Annotated[RewardForm, Form()]


@router.get("", dependencies=[_READ], name="reward.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """The whole catalogue, in its order."""
    found = await catalogue.listing(edge.session)
    titles = {reward.id: in_locale(edge.acting, reward.name) for reward in found}
    return await render(edge, "rewards/list", nav="rewards", rewards=found, titles=titles)


@router.get("/new", dependencies=[_WRITE], name="reward.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """The form of a new reward."""
    form = RewardForm().model_dump()
    return await render(edge, "rewards/new", nav="rewards", form=form, **await reward_values.choices(edge))


@router.post("", dependencies=[_WRITE], name="reward.create_by_form")
async def create(edge: EdgeOf, posted: Posted) -> Response:
    """Offered from now on, or from its start."""
    try:
        reward = await api.create_reward(edge, await reward_values.new_body(edge, posted))
    except DomainError as error:
        await edge.session.rollback()
        values = await reward_values.choices(edge)
        return await again(edge, "rewards/new", error, nav="rewards", form=posted.model_dump(), **values)
    return redirect(edge, f"{HERE}/{reward.id}", done="The reward is there; give it a picture.")


@router.get("/{reward_id}", dependencies=[_READ], name="reward.page")
async def reward_page(edge: EdgeOf, reward_id: IdPath) -> Response:
    """One reward with its form, picture and stock."""
    values = await reward_values.detail(edge, reward_id)
    form = await reward_values.form_of(edge, values["reward"])
    return await render(edge, "rewards/detail", nav="rewards", form=form, **values)


@router.post("/{reward_id}", dependencies=[_WRITE], name="reward.change_by_form")
async def change(edge: EdgeOf, reward_id: IdPath, posted: Posted) -> Response:
    """What was redeemed before keeps its price."""
    reward = await catalogue.get(edge.session, reward_id)
    try:
        await api.change_reward(edge, reward_id, await reward_values.change_body(edge, posted))
    except DomainError as error:
        fixed = {"kind": reward.kind, "needs_address": reward.needs_address}
        return await _again(edge, reward_id, error, "error", form={**posted.model_dump(), **fixed})
    return redirect(edge, f"{HERE}/{reward_id}", done="Saved.")


@router.post("/{reward_id}/switch", dependencies=[_WRITE], name="reward.switch_by_form")
async def switch(edge: EdgeOf, reward_id: IdPath, is_active: Annotated[bool, Form()] = False) -> Response:
    """Offer it no more, or again."""
    await api.change_reward(edge, reward_id, api.RewardChange(is_active=is_active))
    done = "The reward is offered." if is_active else "The reward is not offered any more."
    return redirect(edge, f"{HERE}/{reward_id}", done=done)


@router.post("/{reward_id}/stock", dependencies=[_WRITE], name="reward.set_stock_by_form")
async def set_stock(edge: EdgeOf, reward_id: IdPath, stock: Text = "") -> Response:
    """What is left from now on; an empty field means as many as are wanted."""
    try:
        await api.set_stock(edge, reward_id, body_of(api.StockBody, stock=stock.strip() or None))
    except DomainError as error:
        return await _again(edge, reward_id, error, "stock_error", typed_stock=stock)
    return redirect(edge, f"{HERE}/{reward_id}", done="The stock is set.")


@router.get("/{reward_id}/picture", dependencies=[_READ], name="reward.picture")
async def picture(edge: EdgeOf, reward_id: IdPath) -> Response:
    """The picture that members see."""
    return await pictures.shown(edge, (await catalogue.get(edge.session, reward_id)).photo_media_id)


@router.post(
    "/{reward_id}/picture", dependencies=[_WRITE], name="reward.change_picture_by_form", max_body_size=pictures.LARGEST
)
async def change_picture(
    edge: EdgeOf, reward_id: IdPath, picture: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Another picture."""
    await catalogue.get(edge.session, reward_id)
    try:
        media_id = await pictures.stored(edge, picture)
        await catalogue.change(edge.session, reward_id, photo_media_id=media_id)
    except DomainError as error:
        return await _again(edge, reward_id, error, "picture_error")
    edge.note("reward.change_picture", f"reward:{reward_id}", after={"photo_media_id": str(media_id)})
    return redirect(edge, f"{HERE}/{reward_id}", done="Saved.")


async def _again(
    edge: Edge, reward_id: int, error: DomainError, place: str, *, form: dict[str, Any] | None = None, **values: Any
) -> Response:
    """The page once more, with what went wrong beside the form that it went wrong in."""
    await edge.session.rollback()
    shown = await reward_values.detail(edge, reward_id)
    shown |= {"form": form or await reward_values.form_of(edge, shown["reward"]), "place": place, **values}
    return await again(edge, "rewards/detail", error, nav="rewards", **shown)
