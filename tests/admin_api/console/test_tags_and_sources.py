"""Tags, tag rules, sources and attributes, through their forms."""

import io

import pytest
from PIL import Image

from admin_api.console.tag_rules import as_typed, where_of
from crm.members import attributes
from crm.sources import service as sources
from crm.tags import rules
from crm.tags import service as tags
from crm.tags.errors import InvalidTagRule
from tests.admin_api.conftest import Site
from tests.factories.bots import make_bot


async def test_a_tag_is_made_renamed_and_archived(site: Site) -> None:
    browser = await site.browser()
    await browser.get("/console/tags")
    assert (await browser.post("/console/tags", tag="likes:oolong")).status_code == 303
    for wrong, status in (("likes:oolong", 409), ("", 422), (":x", 422)):
        answer = await browser.post("/console/tags", tag=wrong)
        assert answer.status_code == status, wrong
        assert f'value="{wrong}"' in answer.text
    async with site.deps.sessions() as session:
        tag = (await tags.listing(session))[0]
    here = f"/console/tags/{tag.id}"
    assert (await browser.post(here, tag="likes:green")).status_code == 303
    assert (await browser.post(f"{here}/archive", is_archived="true")).status_code == 303
    assert "green" not in (await browser.get("/console/tags")).text
    assert "green" in (await browser.get("/console/tags?with_archived=1")).text
    assert (await browser.post(f"{here}/archive", is_archived="false")).status_code == 303


async def test_a_rule_is_made_changed_and_turned_off(site: Site) -> None:
    browser = await site.browser()
    await browser.get("/console/tag-rules/new")
    where = {
        "where_field": ["amount", "", "currency"],
        "where_test": ["at_least", "is", "is"],
        "where_value": ["300", "", "CNY"],
    }
    made = await browser.post("/console/tag-rules", name="Big", event_kind="order_placed", tag="vip:gold", **where)
    assert made.status_code == 303
    here = made.headers["location"]
    for wrong in ({"name": ""}, {"tag": ""}, {"event_kind": "nothing"}, {"where_value": ["", "", ""]}):
        form: dict[str, str | list[str]] = {
            "name": "Typed",
            "event_kind": "order_placed",
            "tag": "vip:gold",
            **where,
            **wrong,
        }
        answer = await browser.post("/console/tag-rules", **form)
        assert answer.status_code == 422, wrong
        assert "vip:gold" in answer.text
    assert (await browser.post(here, name="Bigger", tag="vip:gold")).status_code == 303
    assert (await browser.post(f"{here}/switch", is_active="false")).status_code == 303
    async with site.deps.sessions() as session:
        (rule,) = await rules.listing(session)
    assert (rule.name, rule.where, rule.is_active) == ("Bigger", {}, False)


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ([("a", "at_least", "3"), ("a", "at_most", "9")], {"a": {"at_least": 3, "at_most": 9}}),
        ([("flow", "is", "sign_up")], {"flow": "sign_up"}),
        ([("is_given", "is", "true")], {"is_given": True}),
        ([("text", "contains", "12")], {"text": {"contains": "12"}}),
    ],
)
def test_tests_of_a_rule_come_back_as_they_were_typed(
    typed: list[tuple[str, str, str]], where: dict[str, object]
) -> None:
    assert where_of(typed) == where
    assert as_typed(where) == typed


def test_half_a_test_is_refused() -> None:
    with pytest.raises(InvalidTagRule):
        where_of([("amount", "at_least", "")])


async def test_a_source_is_made_with_links_and_codes(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        bot = await make_bot(session, username="tea_bot")
    browser = await site.browser()
    await browser.get("/console/sources/new")
    made = await browser.post(
        "/console/sources", name="Window", kind="qr", tag=["from:window", "city:上海"], welcome_zh="你好"
    )
    assert made.status_code == 303
    here = made.headers["location"]
    page = await browser.get(here)
    assert "Window" in page.text
    assert page.text.count("code-picture") == 1
    code = await browser.get(f"{here}/codes/{bot.id}?download=1")
    assert code.headers["content-disposition"].startswith("attachment")
    assert Image.open(io.BytesIO(code.content)).width > 300
    assert (await browser.client.get(f"{here}/codes/987654")).status_code == 404
    refused = await browser.post("/console/sources", name=" ", kind="qr", tag="from:window")
    assert refused.status_code == 422
    assert "from:window" in refused.text
    assert (await browser.post(here, name="Door", welcome_en="Hi")).status_code == 303
    assert (await browser.post(f"{here}/archive")).status_code == 303
    async with site.deps.sessions() as session:
        source = await sources.get(session, int(here.rsplit("/", 1)[1]))
    assert (source.name, source.tags, source.welcome, source.is_archived) == ("Door", [], {"en": "Hi"}, True)


async def test_an_attribute_is_defined_changed_and_archived(site: Site) -> None:
    browser = await site.browser()
    path = "/console/settings/attributes"
    await browser.get(path)
    form = {"key": "favourite", "label_en": "Favourite", "type": "choice", "choices": "Oolong\nGreen"}
    assert (await browser.post(path, **form)).status_code == 303
    for wrong in ({"key": "Not a key"}, {"label_en": ""}, {"choices": ""}, {"type": "picture"}, {}):
        answer = await browser.post(path, **{**form, **({"key": "other"} if wrong else {}), **wrong})
        assert answer.status_code in {409, 422}, wrong
        assert 'role="alert"' in answer.text
    assert (await browser.post(f"{path}/favourite", label_zh="最爱", choices="Puer")).status_code == 303
    assert (await browser.post(f"{path}/favourite/archive")).status_code == 303
    async with site.deps.sessions() as session:
        (found,) = await attributes.definitions(session, with_archived=True)
    assert (found.label, found.choices, found.is_archived) == ({"zh-CN": "最爱"}, ["Puer"], True)
