"""The requests of the guide about rewards and coupons do what the guide says."""

import json
import re
import shlex

from crm.coupons.types import CodeSource
from crm.kit.resources import ROOT
from tests.admin_api.conftest import Site
from tests.factories.loyalty import issue, make_coupon
from tests.factories.members import make_member

GUIDE = ROOT / "docs" / "howto" / "rewards-and-coupons.md"
_EXAMPLE = re.compile(r"```bash\n(.*?)```", re.DOTALL)
_VARIABLE = re.compile(r"\$(\w+)")


async def test_every_request_of_the_guide_is_answered(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        member = await make_member(session)
        coupon, pool = await make_coupon(session), await make_coupon(session, code_source=CodeSource.POOL)
        voucher = await issue(session, member.id, coupon)
    known = {"SIYU": "", "KEY": "k", "COUPON": coupon.id, "POOL": pool.id, "MEMBER": member.id, "CODE": voucher.code}
    examples = _EXAMPLE.findall(GUIDE.read_text("utf-8"))
    assert len(examples) == 7
    answers = []
    async with await site.api() as client:
        for example in examples:
            filled = _VARIABLE.sub(lambda found: str(known[found[1]]), example)
            words = shlex.split(filled.replace("\\\n", " "))
            path, body = words[3], json.loads(words[words.index("-d") + 1])
            answer = await client.post(path, json=body)
            assert answer.status_code in {200, 201}, (path, answer.text)
            answers.append(answer.json())
    made, imported, issued, reward, checked, used, back = answers
    assert (made["terms"]["stacking"], imported["added"], reward["stock"]) == ("other_kinds", 3, 500)
    assert (issued["member_id"], checked["verdict"], checked["discount"]) == (member.id, "valid", "10.00")
    assert (used["discount"], used["is_new"], back["status"]) == ("10.00", True, "issued")


def test_the_guide_names_every_refusal_and_verdict() -> None:
    text = GUIDE.read_text("utf-8")
    for word in ("voucher_used", "voucher_not_yours", "spend_too_little", "vouchers_do_not_combine", "use_key_reused"):
        assert f"`{word}`" in text
