"""Surveys, defined as data."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, IdPath, PageOf
from crm.operators.permissions import Permission
from crm.surveys import definition, service
from crm.surveys.types import Survey, SurveyResults, SurveyStatus

router = api_router("/api/v1/surveys", "Surveys")
_READ, _WRITE = allow(Permission.SURVEYS_READ), allow(Permission.SURVEYS_WRITE)
Name = Annotated[str, Field(min_length=1, max_length=200)]
DefinitionJson = Annotated[dict[str, Any], Field(description="See `GET /api/v1/surveys/schema`.")]


class NewSurvey(Body):
    """A draft; its key names it in links and buttons."""

    key: Annotated[str, Field(min_length=1, max_length=100, examples=["tea-taste"])]
    name: Name
    definition: DefinitionJson
    is_repeatable: bool = False


class SurveyChange(Body):
    """Fields of the draft to change; what is left out stays."""

    name: Name | None = None
    definition: DefinitionJson | None = None
    is_repeatable: bool | None = None
    expected_version: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class DefinitionSchema(BaseModel):
    """JSON Schema of a definition."""

    definition: dict[str, Any]


@router.get("/schema", dependencies=[_READ], name="survey.schema", summary="Read the schema of definitions")
async def read_schema() -> DefinitionSchema:
    """For editors."""
    return DefinitionSchema(definition=definition.schema())


@router.get("", dependencies=[_READ], name="survey.list", summary="List surveys")
async def list_surveys(edge: EdgeOf, status: SurveyStatus | None = None) -> PageOf[Survey]:
    """Newest first."""
    return PageOf(items=await service.listing(edge.session, status=status))


@router.post("", dependencies=[_WRITE], name="survey.create", summary="Draft a survey", status_code=201)
async def create_survey(edge: EdgeOf, body: NewSurvey) -> Survey:
    """Members can answer it once it is published."""
    survey = await service.create(edge.session, **body.model_dump())
    edge.note("survey.create", f"survey:{survey.id}", after={"key": survey.key})
    return survey


@router.get("/{survey_id}", dependencies=[_READ], name="survey.read", summary="Read a survey")
async def read_survey(edge: EdgeOf, survey_id: IdPath) -> Survey:
    """The draft, and which version members answer."""
    return await service.get(edge.session, survey_id)


@router.patch("/{survey_id}", dependencies=[_WRITE], name="survey.change", summary="Change a survey's draft")
async def change_survey(edge: EdgeOf, survey_id: IdPath, body: SurveyChange) -> Survey:
    """Members answer the published version until the draft is published."""
    survey = await service.change(edge.session, survey_id, **body.model_dump(exclude_unset=True))
    edge.note("survey.change", f"survey:{survey_id}", after={"fields": sorted(body.model_fields_set)})
    return survey


@router.post("/{survey_id}/publish", dependencies=[_WRITE], name="survey.publish", summary="Publish a survey")
async def publish_survey(edge: EdgeOf, survey_id: IdPath) -> Survey:
    """Who is answering goes on with the version they began."""
    survey = await service.publish(edge.session, survey_id)
    edge.note("survey.publish", f"survey:{survey_id}", after={"version": survey.published_version})
    return survey


@router.post("/{survey_id}/archive", dependencies=[_WRITE], name="survey.archive", summary="Archive a survey")
async def archive_survey(edge: EdgeOf, survey_id: IdPath) -> Survey:
    """Nobody can answer it any more; its answers stay."""
    edge.note("survey.archive", f"survey:{survey_id}")
    return await service.archive(edge.session, survey_id)


@router.get("/{survey_id}/results", dependencies=[_READ], name="survey.results", summary="Read a survey's results")
async def read_results(edge: EdgeOf, survey_id: IdPath) -> SurveyResults:
    """Counts per option, averages, NPS."""
    return await service.results(edge.session, survey_id)
