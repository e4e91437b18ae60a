"""Send a message; deliveries judge consent, quiet hours and reachability when it goes out."""

from collections import defaultdict

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import service as consent
from crm.deliveries import service as deliveries
from crm.deliveries.policy import step_of
from crm.deliveries.types import MessageClass
from crm.journeys import contents
from crm.journeys.nodes.contract import Batch, Begun, Verdict, Way
from crm.kit.errors import DomainError
from crm.kit.rules import Parameters
from crm.messages import service as messages
from crm.messages.allow_list import Known
from crm.messages.errors import TemplateProblemsError
from crm.messages.types import MessageContent
from crm.profiles.views import profiles

_FIRST = Way(0)


class SendParameters(Parameters):
    """What to send; topic and class as for a campaign."""

    message: MessageContent
    topic: str = "news"
    message_class: MessageClass = Field(MessageClass.MARKETING)


def _by_occurrence(batch: Batch) -> dict[int, list[int]]:
    """Members by how often they had entered: each time is a delivery of its own."""
    found: dict[int, list[int]] = defaultdict(list)
    for member_id in batch.member_ids:
        found[batch.ways.get(member_id, _FIRST).occurrence].append(member_id)
    return found


class Send:
    """One delivery per member and node."""

    kind = contents.SENDING
    label = "Send message"
    parameters = SendParameters
    exits = ("next",)

    async def check(self, session: AsyncSession, parameters: SendParameters, begun: Begun) -> list[tuple[str, str]]:
        """The message must render and the topic exist."""
        problems: list[tuple[str, str]] = []
        try:
            await messages.checked(session, parameters.message, Known(begun.variables))
        except TemplateProblemsError as error:
            problems += [(f"message.{item.place}", f"line {item.line}: {item.text}") for item in error.problems]
        except DomainError as error:
            problems.append(("message", error.detail))
        if parameters.topic not in {topic.key for topic in await consent.topics(session)}:
            problems.append(("topic", f"There is no topic {parameters.topic!r}; see the list of topics."))
        return problems

    async def run(self, session: AsyncSession, parameters: SendParameters, batch: Batch) -> Verdict:
        """Hand the whole batch to deliveries."""
        stem = contents.stem(batch.journey_id, batch.version, batch.node)
        source_id = await contents.source_of(session, stem, batch.now)
        for occurrence, member_ids in _by_occurrence(batch).items():
            await deliveries.extend_broadcast(
                session,
                contents.SOURCE,
                source_id,
                select(profiles.c.member_id).where(profiles.c.member_id.in_(member_ids)),
                step=step_of(occurrence),
                topic=parameters.topic,
                message_class=parameters.message_class,
            )
        return Verdict({"next": batch.member_ids})


SEND = Send()
