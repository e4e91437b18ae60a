"""Surveys: list, editor, detail with its links, results."""

from typing import Annotated, Any

from fastapi import Form, Response
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.addresses import ROOT, public_url
from admin_api.api import surveys as api
from admin_api.console import json_fields, pictures, survey_values
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError, NotFoundError
from crm.operators.permissions import Permission
from crm.sources import service as sources
from crm.surveys import service
from crm.surveys.types import Survey, SurveyStatus

router = page_router(f"{ROOT}/surveys")
HERE = f"{ROOT}/surveys"
_READ, _WRITE = allow(Permission.SURVEYS_READ), allow(Permission.SURVEYS_WRITE)
_EMPTY: dict[str, Any] = {"questions": []}
Text = Annotated[str, Field(max_length=500)]


class LinkNotFoundError(NotFoundError):
    """This bot has no address that opens the survey."""


class SurveyForm(BaseModel):
    """What the editor posts."""

    key: Text = ""
    name: Text = ""
    definition: Annotated[str, Field(max_length=json_fields.MOST_CHARACTERS)] = ""
    is_repeatable: Text = ""
    version: Text = ""

    def shown(self) -> dict[str, Any]:
        """As the page takes it."""
        definition = json_fields.read_or(self.definition, _EMPTY)
        return {
            **self.model_dump(include={"key", "name", "version"}),
            "definition": definition if isinstance(definition, dict) else _EMPTY,
            "is_repeatable": bool(self.is_repeatable),
        }

    def read(self) -> dict[str, Any]:
        """Name, definition and repetition. Raises UnreadableFieldError."""
        definition = json_fields.read(self.definition)
        if not isinstance(definition, dict):
            raise json_fields.UnreadableFieldError
        return {"name": self.name, "definition": definition, "is_repeatable": bool(self.is_repeatable)}


Posted = Annotated[SurveyForm, Form()]


@router.get("", dependencies=[_READ], name="survey.list_page")
async def list_page(edge: EdgeOf, status: str = "") -> Response:
    """Every survey; archived ones only when asked for."""
    found = await service.listing(edge.session)
    shown = [item for item in found if item.status == status or (not status and item.status != SurveyStatus.ARCHIVED)]
    results = {item.id: await service.results(edge.session, item.id) for item in shown}
    return await render(edge, "surveys/list", nav="surveys", surveys=shown, results=results, chosen=status)


@router.get("/new", dependencies=[_WRITE], name="survey.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """An empty editor."""
    form = SurveyForm().shown()
    return await render(edge, "surveys/form", nav="surveys", survey=None, form=form, **survey_values.editor(edge))


@router.post("", dependencies=[_WRITE], name="survey.create_by_form")
async def create(edge: EdgeOf, posted: Posted) -> Response:
    """Save a draft."""
    try:
        wanted = api.NewSurvey.model_construct(key=posted.key.strip(), **posted.read())
        survey = await api.create_survey(edge, wanted)
    except DomainError as error:
        return await _again(edge, error, None, posted)
    return redirect(edge, f"{HERE}/{survey.id}", done="The draft is saved; members can answer it once it is published.")


@router.get("/{survey_id}", dependencies=[_READ], name="survey.page")
async def survey_page(edge: EdgeOf, survey_id: IdPath) -> Response:
    """Questions, links, state."""
    values = await survey_values.detail(edge, survey_id, public_url(edge.request))
    return await render(edge, "surveys/detail", nav="surveys", **values)


@router.get("/{survey_id}/results", dependencies=[_READ], name="survey.results_page")
async def results_page(edge: EdgeOf, survey_id: IdPath) -> Response:
    """What finished responses say."""
    survey = await service.get(edge.session, survey_id)
    results = await service.results(edge.session, survey_id)
    shown = [survey_values.question_result(edge, survey, item) for item in results.questions]
    return await render(edge, "surveys/results", nav="surveys", survey=survey, results=results, questions=shown)


@router.get("/{survey_id}/qr/{bot_id}", dependencies=[_READ], name="survey.qr_picture")
async def qr_picture(edge: EdgeOf, survey_id: IdPath, bot_id: IdPath) -> Response:
    """The QR code of the link on one bot."""
    survey = await service.get(edge.session, survey_id)
    links = await survey_values.links(edge, survey, public_url(edge.request))
    url = next((link["url"] for link in links if link["bot_id"] == bot_id), None)
    if url is None:
        raise LinkNotFoundError
    return Response(sources.qr_png(url), media_type="image/png", headers=pictures.KEPT_A_DAY)


@router.get("/{survey_id}/edit", dependencies=[_WRITE], name="survey.edit_page")
async def edit_page(edge: EdgeOf, survey_id: IdPath) -> Response:
    """The editor with the draft."""
    survey = await service.get(edge.session, survey_id)
    if survey.status is SurveyStatus.ARCHIVED:
        return redirect(edge, f"{HERE}/{survey_id}", done="An archived survey can be read, not changed.")
    values = survey_values.editor(edge)
    return await render(edge, "surveys/form", nav="surveys", survey=survey, form=vars(survey), **values)


@router.post("/{survey_id}", dependencies=[_WRITE], name="survey.change_by_form")
async def change(edge: EdgeOf, survey_id: IdPath, posted: Posted) -> Response:
    """Save the draft, unless somebody else changed it meanwhile."""
    survey = await service.get(edge.session, survey_id)
    try:
        expected = int(posted.version) if posted.version.isdecimal() and len(posted.version) < 10 else survey.version  # noqa: PLR2004 - fits an INTEGER
        wanted = api.SurveyChange.model_construct(**posted.read(), expected_version=expected)
        await api.change_survey(edge, survey_id, wanted)
    except DomainError as error:
        return await _again(edge, error, survey, posted)
    return redirect(edge, f"{HERE}/{survey_id}", done="The draft is saved.")


@router.post("/{survey_id}/publish", dependencies=[_WRITE], name="survey.publish_by_form")
async def publish(edge: EdgeOf, survey_id: IdPath) -> Response:
    """Members answer the draft from now on."""
    try:
        await api.publish_survey(edge, survey_id)
    except DomainError as error:
        await edge.session.rollback()
        values = await survey_values.detail(edge, survey_id, public_url(edge.request))
        return await again(edge, "surveys/detail", error, nav="surveys", **values)
    return redirect(edge, f"{HERE}/{survey_id}", done="The survey is published.")


@router.post("/{survey_id}/archive", dependencies=[_WRITE], name="survey.archive_by_form")
async def archive(edge: EdgeOf, survey_id: IdPath) -> Response:
    """Nobody can answer it any more."""
    await api.archive_survey(edge, survey_id)
    return redirect(edge, f"{HERE}/{survey_id}", done="The survey is archived; its answers stay.")


async def _again(edge: Edge, error: DomainError, survey: Survey | None, posted: SurveyForm) -> Response:
    values = survey_values.editor(edge)
    return await again(edge, "surveys/form", error, nav="surveys", survey=survey, form=posted.shown(), **values)
