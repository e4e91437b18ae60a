"""What the pages of a survey show: the editor's words, questions and results in one language, links."""

from collections.abc import Mapping
from typing import Any

from admin_api.console.pages import say
from admin_api.edge import Edge
from crm.bots import service as bots
from crm.operators.types import Principal
from crm.sources import policy
from crm.surveys import service
from crm.surveys.question_types import question_types
from crm.surveys.types import QuestionResult, Survey, SurveyStatus

_LOCALES = [("zh-CN", "中文"), ("en", "English")]
_LINK = "survey-"
_TESTS = {"is": "is {value}", "at_least": "is at least {value}", "at_most": "is at most {value}"}


def in_locale(acting: Principal, text: Mapping[str, str]) -> str:
    """The text in the operator's language, else in any."""
    return text.get(acting.locale) or next(iter(text.values()), "")


def editor(edge: Edge) -> dict[str, Any]:
    """What the survey editor needs besides the definition."""
    types = [
        {
            "name": item.name,
            "label": say(edge, item.label),
            "has_options": item.has_options,
            "is_numeric": item.is_numeric,
        }
        for item in question_types().values()
    ]
    return {"types": types, "locales": _LOCALES}


async def detail(edge: Edge, survey_id: int, public_url: str) -> dict[str, Any]:
    """Everything that the page of one survey shows."""
    survey = await service.get(edge.session, survey_id)
    definition = survey.definition
    results = await service.results(edge.session, survey_id)
    return {
        "survey": survey,
        "questions": [_question(edge, definition, item) for item in definition["questions"]],
        "intro": in_locale(edge.acting, definition.get("intro", {})),
        "thanks": in_locale(edge.acting, definition.get("thanks", {})),
        "results": results,
        "links": await links(edge, survey, public_url) if survey.status is SurveyStatus.PUBLISHED else [],
    }


async def links(edge: Edge, survey: Survey, public_url: str) -> list[dict[str, Any]]:
    """The survey's address on every bot that is active."""
    found = await bots.listing(edge.session, active_only=True)
    opened = [(bot, policy.link(bot, f"{_LINK}{survey.key}", public_url)) for bot in found]
    return [{"bot_id": bot.id, "name": bot.name, "channel": bot.channel, "url": url} for bot, url in opened if url]


def _question(edge: Edge, definition: Mapping[str, Any], question: Mapping[str, Any]) -> dict[str, Any]:
    acting = edge.acting
    titles = {item["key"]: in_locale(acting, item["title"]) for item in definition["questions"]}
    options = {item["key"]: in_locale(acting, item["label"]) for item in question.get("options", [])}
    ends = {**titles, "end": say(edge, "End of the survey")}
    jumps = [("chevron-right", rule, ends.get(rule["to"], rule["to"])) for rule in question.get("jump", [])]
    tags = [("tag", rule, rule["tag"]) for rule in question.get("tags", [])]
    rules = [
        {"icon": icon, "when": _when(edge, rule.get("if") or {}, options), "then": then}
        for icon, rule, then in (*jumps, *tags)
    ]
    return {
        "title": titles[question["key"]],
        "key": question["key"],
        "type": say(edge, question_types()[question["type"]].label),
        "is_required": question.get("required", True),
        "options": [{"label": options[item["key"]], "tag": item.get("tag")} for item in question.get("options", [])],
        "rules": rules,
    }


def _when(edge: Edge, test: Mapping[str, Any], options: Mapping[str, str]) -> str:
    parts = []
    for name, value in test.items():
        values = value if isinstance(value, list) else [value]
        shown = ", ".join(options.get(str(item), str(item)) for item in values if item is not None)
        if shown:
            parts.append(say(edge, _TESTS.get(name, _TESTS["is"])).replace("{value}", shown))
    return ", ".join(parts) or say(edge, "Any answer")


def question_result(edge: Edge, survey: Survey, result: QuestionResult) -> dict[str, Any]:
    """One question's figures with labels: `bars` of (label, count, share), a chart for NPS, texts."""
    acting = edge.acting
    asked: Mapping[str, Any] = next((item for item in survey.definition["questions"] if item["key"] == result.key), {})
    labels = {item["key"]: in_locale(acting, item["label"]) for item in asked.get("options", [])}
    counts = _complete(result, int(asked.get("scale", 5)))
    most = max([*counts.values(), 1])
    bars = [
        {"label": labels.get(key, key), "count": count, "width": round(100 * count / most, 1)}
        for key, count in counts.items()
    ]
    chart = None
    if result.type == "nps":
        values = list(counts.values())
        chart = {"type": "bar", "labels": list(counts), "series": [{"name": say(edge, "Answers"), "values": values}]}
    return {"result": result, "title": in_locale(acting, result.title), "bars": bars, "chart": chart}


def _complete(result: QuestionResult, scale: int) -> dict[str, int]:
    """Counts with a place for every number of a scale, also those that nobody chose."""
    numbers = range(11) if result.type == "nps" else range(1, scale + 1) if result.type == "rating" else ()
    return {str(number): 0 for number in numbers} | dict(result.counts)
