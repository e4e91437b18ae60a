"""What set-based SQL of other capabilities may read of surveys."""

from sqlalchemy import select

from crm.surveys.models import AnswerRow, ResponseRow, SurveyRow

responses = (
    select(
        ResponseRow.id,
        ResponseRow.survey_id,
        SurveyRow.key.label("survey_key"),
        ResponseRow.member_id,
        ResponseRow.started_at,
        ResponseRow.completed_at,
        ResponseRow.nps,
    )
    .join(SurveyRow, SurveyRow.id == ResponseRow.survey_id)
    .subquery("survey_responses_view")
)
"""id, survey_id, survey_key, member_id, started_at, completed_at (None while open), nps."""
answers = (
    select(
        AnswerRow.response_id,
        AnswerRow.survey_id,
        SurveyRow.key.label("survey_key"),
        AnswerRow.member_id,
        AnswerRow.question,
        AnswerRow.value,
        AnswerRow.answered_at,
    )
    .join(SurveyRow, SurveyRow.id == AnswerRow.survey_id)
    .join(ResponseRow, ResponseRow.id == AnswerRow.response_id)
    .where(ResponseRow.completed_at.is_not(None))
    .subquery("survey_answers_view")
)
"""Answers of finished responses: response_id, survey_id, survey_key, member_id, question, value, answered_at."""
