"""A flow is run again and again against its journal, so whatever it does must go through its chat."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import flows

ROOT = Path(flows.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if "engine" not in path.parts and path.name != "testing.py")
FORBIDDEN_IMPORTS = {"asyncio", "anyio", "concurrent", "os", "random", "secrets", "socket", "threading", "time", "uuid"}
FORBIDDEN_CALLS = {"now", "today", "utcnow", "process_now", "monotonic", "uuid4", "uuid7", "gather", "create_task"}
CHAT = "chat"


def _is_step(function: ast.AsyncFunctionDef) -> bool:
    """Database work that flows hand to `chat.do` and `chat.look` takes a session, not a chat."""
    arguments = function.args.posonlyargs + function.args.args
    return bool(arguments) and arguments[0].arg == "session"


def _goes_through_chat(call: ast.expr) -> bool:
    """`chat.method(...)`, or a helper of the flows that is handed the chat first."""
    if not isinstance(call, ast.Call):
        return False
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == CHAT:
        return True
    return bool(call.args) and isinstance(call.args[0], ast.Name) and call.args[0].id == CHAT


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else set()
    return handler.type is None or bool(names & {"BaseException", "Exception"})


def _in_flow(function: ast.AsyncFunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        place = f"line {getattr(node, 'lineno', '?')} in {function.name}"
        if isinstance(node, ast.Await) and not _goes_through_chat(node.value):
            yield f"{place}: awaits something that is not a step of the chat: {ast.unparse(node.value)}"
        elif isinstance(node, ast.AsyncWith | ast.AsyncFor):
            yield f"{place}: async with and async for do not survive a suspension"
        elif isinstance(node, ast.Try) and node.finalbody:
            yield f"{place}: finally runs at every suspension"
        elif isinstance(node, ast.ExceptHandler) and _catches_everything(node):
            yield f"{place}: catches more than the errors that it can answer"
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield f"{place}: state outside the journal is lost"


def problems(source: str) -> list[str]:
    """What in the source of a flows module would not come out the same when it is run again."""
    tree = ast.parse(source)
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [f"imports {item.name}" for item in node.names if item.name.split(".")[0] in FORBIDDEN_IMPORTS]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_IMPORTS:
            if not (node.module == "uuid" and [item.name for item in node.names] == ["UUID"]):
                found.append(f"imports from {node.module}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if name in FORBIDDEN_CALLS:
                found.append(f"line {node.lineno}: calls {name}, which answers differently each time")
        elif isinstance(node, ast.AsyncFunctionDef) and not _is_step(node):
            found += _in_flow(node)
    return found


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_flow_is_deterministic(path: Path) -> None:
    assert problems(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("await asyncio.sleep(1)", "not a step"),
        ("await members.get(session, 1)", "not a step"),
        ("await gather(chat.say('a'), chat.say('b'))", "gather"),
        ("async with lock: pass", "async with"),
        ("x = datetime.now()", "calls now"),
        ("import random", "imports random"),
        ("from time import time", "imports from time"),
        ("try:\n        await chat.ask('a')\n    finally:\n        pass", "finally"),
        ("try:\n        await chat.ask('a')\n    except Exception:\n        pass", "catches more"),
        ("try:\n        await chat.ask('a')\n    except (ValueError, BaseException):\n        pass", "catches more"),
        ("try:\n        await chat.ask('a')\n    except:\n        pass", "catches more"),
        ("global count", "outside the journal"),
    ],
)
def test_each_rule_finds_its_breach(line: str, word: str) -> None:
    found = problems(f"async def talk(chat):\n    {line}\n")
    assert any(word in problem for problem in found), found


def test_steps_and_helpers_are_allowed() -> None:
    source = (
        "async def talk(chat):\n    name = await chat.ask('a')\n    await _more(chat, name)\n    now = chat.now\n"
        "async def count(session, member_id):\n    return await session.scalar(1)\n"
    )
    assert problems(source) == []
