"""An operator's browser: keeps cookies, reads the token of a page, posts forms."""

import re

import httpx

from crm.operators.types import Operator
from tests.factories.operators import PASSWORD

_TOKEN = re.compile(r'<meta name="csrf-token" content="([0-9a-f]*)"')


class Browser:
    """Pages by GET, forms by POST with the token of the page that was read last."""

    def __init__(self, client: httpx.AsyncClient, operator: Operator | None = None) -> None:
        self.client = client
        self.operator = operator
        self.token = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Read a page and remember its token."""
        answer = await self.client.get(path, headers=headers)
        found = _TOKEN.search(answer.text)
        if found:
            self.token = found[1]
        return answer

    async def post(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Post a form with the token of the last page."""
        return await self.client.post(path, data={"csrf_token": self.token, **fields})

    async def sign_in(self, password: str = PASSWORD, email: str = "") -> httpx.Response:
        """Sign in through the page, as a person does."""
        await self.get("/console/sign-in")
        address = email or (self.operator.email if self.operator else "")
        answer = await self.post("/console/sign-in", email=address, password=password)
        if answer.status_code == 303:
            await self.get("/console/settings/account")
        return answer
