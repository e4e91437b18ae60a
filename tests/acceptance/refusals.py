"""How a refusal must look: a problem of RFC 9457 that says what is wrong, without what is nobody's business."""

from typing import Any

import httpx

from admin_api.problems import PROBLEM_TYPE, Problem


def refused(answer: httpx.Response, status: int, *words: str, code: str | None = None) -> dict[str, Any]:
    """The problem of an answer with this status, whose text holds each of the words."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_TYPE
    body: dict[str, Any] = answer.json()
    problem = Problem.model_validate(body)
    assert problem.status == status
    assert problem.request_id == answer.headers["x-request-id"]
    assert problem.detail
    if code is not None:
        assert problem.code == code, body
    said = " ".join([problem.detail, *(f"{item.path}: {item.message}" for item in problem.errors)])
    for word in words:
        assert word in said, said
    assert "Traceback" not in answer.text
    return body
