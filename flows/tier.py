"""Tier: where the member stands, what it gives, and the way to the next one."""

from flows.engine.chat import Chat
from flows.engine.flow import Button, Command, Keyword, Opens, flow
from flows.steps import tier_words, zones


@flow(
    "tier",
    starts=[
        Command("tier"),
        Keyword("等级", "我的等级", "会员等级", "tier", "my tier", "level"),
        Button("tier"),
    ],
)
async def show_tier(chat: Chat) -> None:
    """Tells the tier, since when, what it gives, and what is missing to the next one."""
    await chat.member()
    found = await chat.look(tier_words.of_tier, await chat.look(zones.current))
    buttons = [[Opens("points"), Opens("rewards")]]
    if found is None:
        await chat.say("tier/none", buttons=buttons)
        return
    own = await chat.look(tier_words.own_rewards)
    await chat.say("tier/shown", **found, own_rewards=own, buttons=buttons)
