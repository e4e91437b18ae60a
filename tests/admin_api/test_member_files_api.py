"""Members in and out as files, and the small lists that members rest on: attributes, topics, keywords."""

from crm.imports import jobs as import_jobs
from tests.admin_api.conftest import Site

FILES = "/api/v1/member-files"
CSV = "Name,Mobile,City\n林小满,13812345678,Hangzhou\nAmelia,not a phone,Bath\n=1+1,,\n"


def _upload(text: str = CSV) -> dict[str, tuple[str, bytes, str]]:
    return {"file": ("members.csv", text.encode(), "text/csv")}


async def test_a_file_is_looked_at_tried_and_imported(site: Site) -> None:
    async with await site.api() as client:
        sheet = (await client.post(f"{FILES}/look", files=_upload())).json()
        assert sheet["header"] == ["Name", "Mobile", "City"]
        assert sheet["rows_total"] == 3
        data = {"mapping": '{"Name": "display_name", "Mobile": "phone"}', "tag": "from:file"}
        started = await client.post(f"{FILES}/imports", files=_upload(), data=data)
        assert started.status_code == 202, started.text
        import_id = started.json()["id"]
        await import_jobs.import_members.run(site.deps.sessions, {"import_id": import_id})
        done = (await client.get(f"{FILES}/imports/{import_id}")).json()
        assert (done["rows_created"], done["rows_failed"]) == (2, 1)
        problems = (await client.get(f"{FILES}/imports/{import_id}/problems")).json()["items"]
        assert problems[0]["row"] == 3
        assert "13812345678" not in str(problems)
        masked = await client.post(f"{FILES}/export", json={"query": "小满"})
        plain = await client.post(f"{FILES}/export", json={"with_personal": True})
    assert "138****5678" in masked.text
    assert "+8613812345678" in plain.text
    assert "'=1+1" in plain.text


async def test_a_broken_mapping_is_explained(site: Site) -> None:
    async with await site.api() as client:
        for mapping in ("[1]", "{", '{"Name": 1}', '{"Nobody": "name"}'):
            answer = await client.post(f"{FILES}/imports", files=_upload(), data={"mapping": mapping})
            assert answer.status_code == 422, mapping
            assert answer.headers["content-type"].startswith("application/problem+json")
        assert (await client.get(f"{FILES}/imports")).json()["items"] == []


async def test_personal_data_is_exported_only_with_its_scope(site: Site) -> None:
    async with await site.api("members:export") as client:
        refused = await client.post(f"{FILES}/export", json={"with_personal": True})
        assert refused.status_code == 403
        assert (await client.post(f"{FILES}/export", json={})).status_code == 200


async def test_attributes_are_defined_and_archived(site: Site) -> None:
    async with await site.api() as client:
        new = {"key": "city", "label": {"en": "City"}, "type": "choice", "choices": ["Bath", "York"]}
        assert (await client.post("/api/v1/attributes", json=new)).status_code == 201
        assert (await client.post("/api/v1/attributes", json=new)).status_code == 409
        changed = await client.patch("/api/v1/attributes/city", json={"is_archived": True})
        assert changed.json()["is_archived"]
        assert (await client.get("/api/v1/attributes")).json()["items"] == []
        assert (await client.patch("/api/v1/attributes/nothing", json={"label": {"en": "x"}})).status_code == 404


async def test_topics_are_added_and_changed(site: Site) -> None:
    async with await site.api() as client:
        new = {"key": "tastings", "name": {"en": "Tastings", "zh-CN": "品鉴会"}}
        assert (await client.post("/api/v1/topics", json=new)).status_code == 201
        assert (await client.post("/api/v1/topics", json=new)).status_code == 409
        changed = await client.patch("/api/v1/topics/tastings", json={"is_default": True})
        assert changed.json()["is_default"]
        assert "tastings" in {item["key"] for item in (await client.get("/api/v1/topics")).json()["items"]}


async def test_keywords_are_added_and_checked(site: Site) -> None:
    async with await site.api() as client:
        new = {"name": "Hours", "words": ["opening hours", "几点开门"], "reply": {"en": "9 to 9", "zh-CN": "早九晚九"}}
        made = await client.post("/api/v1/keywords", json=new)
        assert made.status_code == 201, made.text
        wrong = await client.post("/api/v1/keywords", json=new | {"flow": "no_such_flow"})
        assert wrong.status_code == 422
        assert "no_such_flow" in wrong.json()["detail"]
        rested = await client.put(f"/api/v1/keywords/{made.json()['id']}", json=new | {"is_active": False})
        assert rested.json()["is_active"] is False
        assert (await client.put("/api/v1/keywords/999999", json=new)).status_code == 404
