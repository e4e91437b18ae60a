"""The OpenAPI document is true: whatever it allows is answered as it says, and nothing breaks the server."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.acceptance.conftest import deployment_settings
from tests.acceptance.deployment import Deployment
from tests.conftest import Servers

EXAMPLES = 12
UNASKED = "/api/v1/api-keys/{api_key_id}/revoke"
"""It learns ids from answers, and would end its own key."""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
OPTIONS = (
    *("--phases", "fuzzing", "--max-examples", str(EXAMPLES), "--checks", CHECKS, "--seed", "1", "--workers", "2"),
    *("--generation-database", "none", "--suppress-health-check", "filter_too_much,too_slow"),
    *("--request-timeout", "60", "--no-color", "--exclude-path", UNASKED),
)
_TEXT = {"en": "Why?", "zh-CN": "为什么？"}
_SURVEY = {"questions": [{"key": "why", "type": "text", "title": _TEXT}]}
_MESSAGE = {"text": "hello {{ member.name }}"}
_ORDER = {"member_id": 1, "external_id": "1", "amount": "8", "currency": "CNY", "placed_at": "2026-01-01T00:00:00Z"}
FILLED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("members", {"bot_id": 1, "address": "1", "display_name": "Wu"}),
    ("members", {"bot_id": 1, "address": "2", "display_name": "Li"}),
    ("members/1/tags", {"tag": "likes:oolong"}),
    ("orders", _ORDER),
    ("segments", {"name": "Everyone", "rule": {"all": []}}),
    ("campaigns", {"name": "Spring", "segment_id": 1, "message": _MESSAGE}),
    ("messages/templates", {"name": "Hello", "message": _MESSAGE}),
    ("surveys", {"key": "why", "name": "Why", "definition": _SURVEY}),
    ("sources", {"name": "Shop window"}),
)
"""What examples with the id 1 then find."""
_FAR = "SELECT setval(pg_get_serial_sequence('api_keys', 'id'), 987654321)"
_CLI = "from schemathesis.cli import schemathesis; schemathesis()"


@pytest.fixture
async def lone_api(servers: Servers, tmp_path: Path) -> AsyncIterator[Deployment]:
    """An api process over a database of its own, which may be wrecked."""
    made = Deployment(deployment_settings(servers, await servers.new_database("openapi"), tmp_path), tmp_path)
    assert (await made.siyu("migrate")).status == 0
    await made.start("api")
    yield made
    await made.end(signal.SIGTERM)


async def _hidden_key(api: Deployment) -> str:
    """A key whose id nobody guesses, so that no example revokes it."""
    connection = await asyncpg.connect(api.settings["SIYU_DATABASE_URL"])
    await connection.execute(_FAR)
    await connection.close()
    return await api.key()


async def _fill(api: Deployment, key: str) -> None:
    async with httpx.AsyncClient(
        base_url=f"{api.base_url}/api/v1/", headers={"Authorization": f"Bearer {key}"}
    ) as client:
        for path, body in FILLED:
            answer = await client.post(path, json=body)
            assert answer.is_success, f"{path}: {answer.text}"


async def test_every_operation_answers_as_it_says(lone_api: Deployment) -> None:
    key = await _hidden_key(lone_api)
    await _fill(lone_api, key)
    header = f"Authorization: Bearer {key}"
    command = ["run", f"{lone_api.base_url}/openapi.json", "--header", header, *OPTIONS]
    tests = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CLI, *command, cwd=lone_api.folder, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await tests.communicate()
    async with httpx.AsyncClient(base_url=lone_api.base_url, headers={"Authorization": f"Bearer {key}"}) as client:
        answer = await client.get("/api/v1/api-keys")
        assert answer.status_code in {200, 429}, answer.text + said.decode()
    assert tests.returncode == 0, said.decode()
    assert "Traceback" not in lone_api.running["api"].said
