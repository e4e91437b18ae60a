"""Words that the bot answers, tags by, or opens a conversation for."""

from dataclasses import asdict
from typing import Annotated

from pydantic import Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, IdPath, PageOf
from crm.conversations import keywords
from crm.conversations.keywords import InvalidKeyword, Keyword, Match, NewKeyword
from crm.operators.permissions import Permission
from flows.engine import registry

router = api_router("/api/v1/keywords", "Keywords")
_READ, _WRITE = allow(Permission.MESSAGES_READ), allow(Permission.MESSAGES_WRITE)
Word = Annotated[str, Field(min_length=1, max_length=keywords.MAX_WORD)]
Reply = Annotated[dict[str, Annotated[str, Field(max_length=4000)]], Field(max_length=8)]


class KeywordBody(Body):
    """A higher `priority` is looked at first; `reply` is plain text by language."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    words: Annotated[list[Word], Field(min_length=1, max_length=50)]
    match: Match = Match.EXACT
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    tag: Annotated[str, Field(max_length=200)] | None = None
    flow: Annotated[str, Field(max_length=64)] | None = None
    reply: Annotated[Reply, Field(default_factory=dict)]
    is_active: bool = True

    def keyword(self) -> NewKeyword:
        """The domain's value. Raises InvalidKeyword for a conversation that is not shipped."""
        if self.flow is not None and registry.discover().find(self.flow) is None:
            raise InvalidKeyword(f"There is no conversation {self.flow!r}.")
        return NewKeyword(**self.model_dump())


@router.get("", dependencies=[_READ], name="keyword.list", summary="List keywords")
async def list_keywords(edge: EdgeOf) -> PageOf[Keyword]:
    """All of them, in the order in which they are looked at."""
    return PageOf(items=await keywords.listing(edge.session))


@router.get("/{keyword_id}", dependencies=[_READ], name="keyword.read", summary="Read a keyword")
async def read(edge: EdgeOf, keyword_id: IdPath) -> Keyword:
    """One keyword."""
    return await keywords.get(edge.session, keyword_id)


@router.post("", dependencies=[_WRITE], name="keyword.create", summary="Add a keyword", status_code=201)
async def create(edge: EdgeOf, body: KeywordBody) -> Keyword:
    """For texts that nothing else understands."""
    made = await keywords.create(edge.session, body.keyword())
    edge.note("keyword.create", f"keyword:{made.id}", after=asdict(made))
    return made


@router.put("/{keyword_id}", dependencies=[_WRITE], name="keyword.change", summary="Replace a keyword")
async def change(edge: EdgeOf, keyword_id: IdPath, body: KeywordBody) -> Keyword:
    """Every field is set; `is_active` off rests it."""
    changed = await keywords.change(edge.session, keyword_id, body.keyword())
    edge.note("keyword.change", f"keyword:{keyword_id}", after=asdict(changed))
    return changed
