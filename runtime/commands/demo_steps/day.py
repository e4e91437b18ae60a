"""The day itself: a member signs up, checks in, answers, redeems a reward; an operator verifies and broadcasts."""

from runtime.commands.demo_steps import reward
from runtime.commands.demo_steps.chat import MemberChat
from runtime.commands.demo_steps.office import Office
from runtime.commands.demo_steps.script import Script

_SURVEY = {
    "key": "first_cup",
    "name": "First cup",
    "definition": {
        "intro": {"en": "Three questions about your first cup.", "zh-CN": "关于第一杯茶的三个问题。"},
        "thanks": {"en": "Thank you, enjoy your tea!", "zh-CN": "谢谢，请慢用！"},
        "questions": [
            {
                "key": "recommend",
                "type": "nps",
                "title": {"en": "Would you recommend us to a friend?", "zh-CN": "您会把我们推荐给朋友吗？"},
            },
            {
                "key": "favourite",
                "type": "single",
                "title": {"en": "Which tea did you have?", "zh-CN": "您喝的是哪一款茶？"},
                "options": [
                    {"key": "green", "label": {"en": "Green", "zh-CN": "绿茶"}, "tag": "drinks:green"},
                    {"key": "oolong", "label": {"en": "Oolong", "zh-CN": "乌龙"}, "tag": "drinks:oolong"},
                ],
            },
            {
                "key": "wish",
                "type": "text",
                "title": {"en": "What should we brew next?", "zh-CN": "下次想喝什么？"},
            },
        ],
    },
}


async def day(script: Script, chat: MemberChat, office: Office) -> None:
    """Every step in order. Raises StepFailed."""
    await _prepare(script, office)
    await _sign_up(script, chat)
    await _check_in(script, chat)
    await _answer_survey(script, chat)
    await _look_at_member(script, chat, office)
    await reward.redeem(script, chat, office)
    await _broadcast(script, chat, office)


async def _prepare(script: Script, office: Office) -> None:
    script.title("An operator opens a survey")
    survey = await office.post("surveys", _SURVEY)
    published = await office.post(f"surveys/{survey['id']}/publish")
    script.operator(f"publishes the survey {published['name']!r}")
    script.verify(published["status"] == "published", "the survey can be answered")


async def _sign_up(script: Script, chat: MemberChat) -> None:
    script.title("A member signs up")
    await chat.start()
    await chat.hears("Joining takes half a minute")
    await chat.tap("Agree, and keep me posted")
    await chat.hears("What may I call you")
    await chat.say("Lin")
    await chat.hears("phone number", "Welcome, Lin")
    await chat.share_contact()
    await chat.hears("birthday")
    await chat.say("1995-08-23")
    await chat.hears("What are you into")
    await chat.tap("Skip")
    await chat.hears("All set")
    script.verify(is_true=True, text="signed up, with consent, a verified phone and a birthday")


async def _check_in(script: Script, chat: MemberChat) -> None:
    script.title("The member checks in and asks for points")
    await chat.say("/checkin")
    await chat.hears("Checked in", "Day 1")
    await chat.say("/checkin")
    await chat.hears("already checked in today")
    await chat.say("points")
    text = await chat.hears("You have")
    script.verify("105" in text, "100 points for signing up, 5 for checking in, once")


async def _answer_survey(script: Script, chat: MemberChat) -> None:
    script.title("The member answers the survey")
    await chat.say("/survey")
    await chat.hears("Would you recommend us")
    await chat.tap("9")
    await chat.hears("Which tea did you have")
    await chat.tap("Oolong")
    await chat.hears("What should we brew next")
    await chat.say("Something with osmanthus 桂花")
    await chat.hears("enjoy your tea", "+20")
    script.verify(is_true=True, text="the survey was finished and rewarded")


async def _look_at_member(script: Script, chat: MemberChat, office: Office) -> None:
    script.title("The operator looks the member up")
    found = (await office.get("members", query=str(chat.user_id)))["items"]
    script.verify(len(found) == 1, "found by channel address")
    member = await office.get(f"members/{found[0]['id']}")
    script.operator(f"sees {member['display_name']}: {member['points_balance']} points, tags {member['tags']}")
    script.verify(member["points_balance"] == 125, "the balance is 125 points")  # noqa: PLR2004 - 100 + 5 + 20
    events = {item["kind"] for item in (await office.get(f"members/{member['id']}/timeline"))["items"]}
    expected = {"member_signed_up", "checked_in", "points_earned", "survey_completed"}
    script.verify(expected <= events, "the timeline tells the day")


async def _broadcast(script: Script, chat: MemberChat, office: Office) -> None:
    script.title("The operator makes a segment and launches a broadcast")
    rule = {"all": [{"condition": "tag", "tag": "drinks:oolong"}, {"condition": "points_balance", "at_least": 100}]}
    preview = await office.post("segments/preview", {"rule": rule})
    script.verify(preview["count"] == 1, "the preview counts one member")
    segment = await office.post("segments", {"name": "Oolong drinkers", "rule": rule})
    text = {
        "en": "{{ member.name }}, the spring oolong is here 🍃",
        "zh-CN": "{{ member.name }}，春茶到了 🍃",
    }
    campaign = await office.post(
        "campaigns", {"name": "Spring oolong", "segment_id": segment["id"], "message": {"text": text}}
    )
    await office.post(f"campaigns/{campaign['id']}/launch")
    script.operator("launches the campaign 'Spring oolong'")
    await chat.hears("Lin, the spring oolong is here")
    done = await office.until(f"campaigns/{campaign['id']}", lambda found: found["status"] == "finished")
    script.verify(done["counts"]["sent"] + done["counts"]["delivered"] == 1, "one message was sent, none failed")
