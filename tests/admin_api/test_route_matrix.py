"""Every route against every role: generated from the route table, so that none can be forgotten."""

import pytest

from admin_api.access import AccessKind
from admin_api.routing import EdgeRoute
from crm.operators.permissions import ROLE_PERMISSIONS, Permission, Role
from tests.admin_api.conftest import Site
from tests.admin_api.routes import RouteCase, cases, is_api_route, mounted

CASES = cases()
GUARDED = [case for case in CASES if case.route.access.kind is not AccessKind.PUBLIC]
OPEN_WITHOUT_EDGE = {"/livez", "/readyz", "/metrics", "/", "/openapi.json", "/assets"}
PUBLIC = {
    ("GET", "/console/sign-in"),
    ("POST", "/console/sign-in"),
    ("POST", "/console/locale"),
    ("GET", "/console/logo"),
    *(
        (method, f"/console/{name}/{{token}}")
        for method in ("GET", "POST")
        for name in ("setup", "invitation", "password")
    ),
}


def _admits(case: RouteCase, role: Role) -> bool:
    permission = case.route.access.permission
    return permission is None or permission in ROLE_PERMISSIONS[role]


def test_every_mounted_route_has_an_edge_or_is_listed_here(site: Site) -> None:
    found = {path for path, route in mounted(site.app) if not isinstance(route, EdgeRoute)}
    assert found <= OPEN_WITHOUT_EDGE
    assert any(is_api_route(route) for _, route in mounted(site.app))


def test_what_is_public_is_listed_here() -> None:
    assert {(case.method, case.path) for case in CASES if case.route.access.kind is AccessKind.PUBLIC} == PUBLIC


def test_every_role_lacks_something_but_owner_and_admin() -> None:
    assert ROLE_PERMISSIONS[Role.OWNER] == frozenset(Permission)
    for role in set(Role) - {Role.OWNER, Role.ADMIN}:
        assert ROLE_PERMISSIONS[role] < frozenset(Permission)
        assert Permission.OPERATORS_WRITE not in ROLE_PERMISSIONS[role]
        assert Permission.API_KEYS_WRITE not in ROLE_PERMISSIONS[role]


def test_personal_data_is_revealed_to_few() -> None:
    may = {role for role in Role if Permission.MEMBERS_REVEAL in ROLE_PERMISSIONS[role]}
    assert may == {Role.OWNER, Role.ADMIN, Role.AGENT}


@pytest.mark.parametrize("role", list(Role), ids=str)
async def test_each_route_lets_in_whom_its_permission_names(site: Site, role: Role) -> None:
    """A refused one gets 403; one who is let in gets anything else: the thing may be missing or the body empty."""
    browser = await site.browser(role)
    wrong = []
    for case in GUARDED:
        if case.path in {"/console/sign-out", "/console/settings/account/sessions/revoke-others"}:
            continue
        headers = {"X-CSRF-Token": browser.token} if case.is_unsafe else {}
        answer = await browser.client.request(case.method, case.address, headers=headers)
        if (answer.status_code == 403) == _admits(case, role) or answer.status_code >= 500:
            wrong.append(f"{case} answered {answer.status_code} to {role}: {answer.text[:200]}")
    assert wrong == []


async def test_nobody_gets_in_without_credentials(site: Site) -> None:
    wrong = []
    async with site.client() as client:
        for case in GUARDED:
            answer = await client.request(case.method, case.address)
            expected = 303 if case.route.is_page else 401
            if answer.status_code != expected:
                wrong.append(f"{case} answered {answer.status_code}")
            if case.route.is_page and not answer.headers["location"].startswith("/console/sign-in?next="):
                wrong.append(f"{case} leads to {answer.headers['location']}")
    assert wrong == []


async def test_a_key_without_scopes_of_a_route_is_told_which_one_it_lacks(site: Site) -> None:
    wrong = []
    async with await site.api("events:write") as client:
        for case in GUARDED:
            if case.route.is_page:
                continue
            answer = await client.request(case.method, case.address)
            permission = case.route.access.permission
            code = answer.json().get("code") if answer.status_code == 403 else ""
            expected = "operator_required" if permission is None else "missing_scope"
            if permission != Permission.EVENTS_WRITE and (code != expected or (permission or "") not in answer.text):
                wrong.append(f"{case} answered {answer.status_code} {code}")
    assert wrong == []


async def test_pages_take_no_api_key(site: Site) -> None:
    async with await site.api() as client:
        answer = await client.get("/console/settings/brand")
    assert answer.status_code == 303
