"""A little of everything that the pages of outreach show, under names that would hurt where they were not escaped."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.campaigns import service as campaigns
from crm.campaigns.types import NewCampaign
from crm.conversations import keywords
from crm.conversations.keywords import NewKeyword
from crm.journeys import service as journeys
from crm.journeys.triggers import NotCheckedInTrigger
from crm.journeys.types import Graph
from crm.messages import service as messages
from crm.messages.stored import content_json
from crm.messages.types import ButtonSpec, MessageContent
from crm.points import earning_rules
from crm.segments import service as segments
from crm.surveys import service as surveys
from tests.admin_api.conftest import Site
from tests.factories.deliveries import Audience, make_audience
from tests.factories.surveys import both, tea_survey

HOSTILE = "<script>alert(1)</script>\"'{{7*7}}"
EVERYONE: dict[str, Any] = {"all": []}
MESSAGE = {"text": {"en": "Hello {{ member.name }}"}, "buttons": []}


@dataclass(frozen=True)
class Outreach:
    """What was made."""

    audience: Audience
    segment_id: int
    campaign_id: int
    template_id: int
    journey_id: int
    survey_id: int
    rule_id: int
    keyword_id: int

    def pages(self) -> dict[str, str]:
        """Every page that shows one of these, by a short name."""
        found = {
            "segments": "/segments",
            "segment": f"/segments/{self.segment_id}",
            "segment_form": f"/segments/{self.segment_id}/edit",
            "segment_new": "/segments/new",
            "campaigns": "/campaigns",
            "campaign": f"/campaigns/{self.campaign_id}",
            "campaign_form": f"/campaigns/{self.campaign_id}/edit",
            "campaign_new": f"/campaigns/new?template_id={self.template_id}&segment_id={self.segment_id}",
            "campaign_progress": f"/campaigns/{self.campaign_id}/progress",
            "campaign_preview": f"/campaigns/{self.campaign_id}/preview",
            "recipients": f"/campaigns/{self.campaign_id}/recipients",
            "journeys": "/journeys",
            "journey": f"/journeys/{self.journey_id}",
            "journey_form": f"/journeys/{self.journey_id}/edit",
            "journey_new": "/journeys/new",
            "messages": "/messages",
            "message": f"/messages/{self.template_id}",
            "message_new": "/messages/new",
            "texts": "/texts?locale=en",
            "text": "/texts/en/check_in/done",
            "keywords": "/keywords",
            "keyword": f"/keywords/{self.keyword_id}",
            "keyword_new": "/keywords/new",
            "surveys": "/surveys",
            "survey": f"/surveys/{self.survey_id}",
            "survey_form": f"/surveys/{self.survey_id}/edit",
            "survey_new": "/surveys/new",
            "results": f"/surveys/{self.survey_id}/results",
            "rules": "/earning-rules",
            "rule": f"/earning-rules/{self.rule_id}",
            "rule_kinds": "/earning-rules/new",
            "rule_new": "/earning-rules/new?kind=order_rate",
            "rule_goods_new": "/earning-rules/new?kind=purchase",
            "replays": "/earning-replays",
        }
        return {name: f"/console{path}" for name, path in found.items()}


def content(text: str = "Hello {{ member.name }}") -> MessageContent:
    """A message with a row of two buttons, of which one tags."""
    return MessageContent(
        {"en": text, "zh-CN": f"{text} 茶"},
        [
            [ButtonSpec({"en": "Menu", "zh-CN": "茶单"}, url="https://shop.example/menu")],
            [
                ButtonSpec({"en": "Check in", "zh-CN": "签到"}, opens="check_in"),
                ButtonSpec({"en": "Yes", "zh-CN": "好"}, opens="survey:tea", tag="spring:yes"),
            ],
        ],
    )


async def make_outreach(session: AsyncSession, name: str = "Spring") -> Outreach:
    """Two members who agreed to news, and one of everything that can be named `name`."""
    audience = await make_audience(session, 2)
    segment = await segments.create(session, name=name, rule=EVERYONE, description=name)
    draft = NewCampaign(name, segment.id, content("Hi {{ member.name }} & all"))
    campaign = await campaigns.create(session, draft, by="test")
    template = await messages.create_template(session, name, content())
    graph = {
        "start": "wait",
        "nodes": {
            "wait": {"kind": "wait", "parameters": {"days": 2}, "exits": {"next": "check_segment"}},
            "check_segment": {
                "kind": "check_segment",
                "parameters": {"segment_id": segment.id},
                "exits": {"yes": "send"},
            },
            "send": {"kind": "send", "parameters": {"message": content_json(content())}},
        },
    }
    journey = await journeys.create(
        session, name=name, trigger=NotCheckedInTrigger(days=3), graph=Graph.model_validate(graph)
    )
    definition = tea_survey()
    definition["questions"][0]["title"] = both(name)
    survey = await surveys.publish(
        session, (await surveys.create(session, key="tea", name=name, definition=definition)).id
    )
    rule = await earning_rules.create(session, kind="check_in", name=name, parameters={"points": 5})
    keyword = await keywords.create(session, NewKeyword(name, [name[:80], "hours"], reply={"en": name}))
    return Outreach(audience, segment.id, campaign.id, template.id, journey.id, survey.id, rule.id, keyword.id)


async def outreach_on(site: Site, name: str = "Spring") -> Outreach:
    """The same, committed to the site's database."""
    async with site.deps.sessions.begin() as session:
        return await make_outreach(session, name)


def hidden(page: str, name: str) -> Any:
    """The JSON in a script of the page, as the component reads it."""
    text = page.split(f'<script type="application/json" {name}>')[1].split("</script>", maxsplit=1)[0]
    return json.loads(text)
