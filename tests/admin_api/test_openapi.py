"""The OpenAPI document is complete and says what is true."""

from typing import Any

from admin_api.edge import SAFE_METHODS
from tests.admin_api.conftest import Site
from tests.admin_api.routes import cases


async def _document(site: Site) -> dict[str, Any]:
    async with site.client() as client:
        found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


async def test_every_api_route_is_in_it_with_scope_and_problems(site: Site) -> None:
    document = await _document(site)
    wrong = []
    for case in cases():
        if case.route.is_page:
            continue
        operation = document["paths"][case.route.path_format][case.method.lower()]
        permission = case.route.access.permission
        if permission is not None and operation["security"][0] != {"apiKey": [permission.value]}:
            wrong.append(f"{case} does not name its scope")
        wrong += [
            f"{case} does not describe {status}"
            for status in ("401", "403", "422")
            if "application/problem+json" not in operation["responses"][status]["content"]
        ]
        names = [parameter["name"] for parameter in operation.get("parameters", [])]
        if ("Idempotency-Key" in names) == (case.method in SAFE_METHODS):
            wrong.append(f"{case} is wrong about Idempotency-Key")
        if not operation.get("summary") or not operation.get("description"):
            wrong.append(f"{case} is not described")
    assert wrong == []


async def test_every_reference_leads_somewhere(site: Site) -> None:
    document = await _document(site)
    schemas = document["components"]["schemas"]
    for name in _references(document):
        assert name.removeprefix("#/components/schemas/") in schemas
    assert "HTTPValidationError" not in schemas


async def test_every_answer_has_a_shape(site: Site) -> None:
    document = await _document(site)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            shape = good.get("content", {}).get("application/json", {}).get("schema")
            assert shape != {}, f"{method} {path} answers anything"


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(_references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(item) for item in value))
    return set()
