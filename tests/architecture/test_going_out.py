"""Nobody calls out past the guarded client: whoever can open a connection is listed here with the reason."""

import ast

from tests.architecture.sources import Source, dotted, sources

CALLERS = {
    "runtime/egress.py": "the guarded client itself",
    "bot/channels/telegram/uploads.py": "the Bot API, at the address of the settings",
    "bot/channels/telegram/wire.py": "the Bot API, at the address of the settings",
    "bot/channels/telegram/simulator/client.py": "the simulator on this machine",
    "bot/channels/telegram/simulator/webhooks.py": "the simulator plays the provider, towards bots on this machine",
    "runtime/commands/demo_steps/office.py": "the demo's own console on this machine",
    "runtime/doctor/machine.py": "this deployment's own public address",
}
"""Files that can open a connection to somebody, and whom they call. Databases have clients of their own."""
_CLIENTS = {"aiohttp", "httpx", "requests", "urllib3", "http.client", "urllib.request", "smtplib", "ftplib", "pycurl"}
_OPENERS = {"open_connection", "create_connection", "open_unix_connection", "sock_connect"}


def calls_out(source: Source) -> bool:
    """Whether the file imports a client or opens a connection; `aiohttp.web` serves and does not count."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import) and any(_is_client(alias.name) for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module and _is_client(node.module):
            names = {alias.name for alias in node.names}
            if node.module != "aiohttp" or names - {"web"}:
                return True
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in _OPENERS:
            return True
    return False


def _is_client(module: str) -> bool:
    return module in _CLIENTS or (module.partition(".")[0] in _CLIENTS and module != "aiohttp.web")


def test_who_calls_out_is_listed() -> None:
    assert {source.name for source in sources() if calls_out(source)} == set(CALLERS)


def test_a_caller_is_noticed() -> None:
    def does(text: str) -> bool:
        return calls_out(Source("x.py", text, ast.parse(text)))

    assert does("import aiohttp")
    assert does("from aiohttp import ClientSession")
    assert does("from urllib.request import urlopen")
    assert does("import http.client")
    assert does("await asyncio.open_connection(host, 80)")
    assert not does("from aiohttp import web\nfrom urllib.parse import quote")
