"""The client for addresses that people typed in: nothing private is ever reached, nothing more than told is done."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crm.kit.clock import process_now
from crm.kit.egress import AddressRefused, EgressFailed, EgressRules, open_addresses, parse_target
from crm.kit.networks import is_outside, parse_networks
from runtime.egress import MOST_BYTES, EgressClient

LOOPBACK = EgressRules(allow_http=True, allowed=parse_networks("127.0.0.0/8,::1/128"))
CLOSED = [
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "100::1", "5f00::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1"),
    *("2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1"),
]
OPEN = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1"]
SPELLINGS = [
    *("https://127.0.0.1/", "https://127.0.0.1:8443/x", "https://[::1]/", "https://[::ffff:127.0.0.1]/"),
    *("https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://127.1/", "https://0/"),
    *("https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://127.0.0.0x1/", "https://127.0.0.01/"),
    *("https://１２７.０.０.１/", "https://127。0。0。1/", "https://①②⑦.⓪.⓪.①/"),
    *("https://localhost/", "https://LOCALHOST/", "https://api.localhost/", "https://localhost./"),
    *("https://169.254.169.254/latest/meta-data/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/"),
    *("https://[::]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[0:0:0:0:0:ffff:7f00:1]/"),
    *("https://[127.0.0.1]/", "https://127.0.0.1.", "https://1.2.3.4.5/", "https://shop.example.256/"),
]
MALFORMED = [
    *("", "shop.example", "//shop.example/", "https://", "https:///x", "https://:443/", "http://shop.example/"),
    *("ftp://shop.example/", "file:///etc/passwd", "gopher://shop.example/", "javascript:alert(1)", "data:,x"),
    *("https://user@shop.example/", "https://user:pass@shop.example/", "https://@shop.example/"),
    *("https://127.0.0.1@shop.example/", "https://shop.example:pass@127.0.0.1/"),
    *("https://shop.example:0/", "https://shop.example:65536/", "https://shop.example:-1/", "https://shop.example:/"),
    *("https://shop.example:+80/", "https://shop.example:８０/", "https://shop.example:80a/"),
    *(
        "https://shop.example /",
        "https://shop.example/\r\nX-Evil: 1",
        "https://shop\t.example/",
        " https://shop.example/",
    ),
    *(
        "https://shop.example\\@127.0.0.1/",
        "https://shop..example/",
        "https://-shop.example/",
        "https://shop.example./",
    ),
    *("https://[::1/", "https://::1/", "https://sh%6fp.example/", "https://shop.example:443:80/", "https://a\x00b/"),
    *("https://" + "a" * 64 + ".example/", "https://shop.example/" + "a" * 2000, "https://\u202eshop.example/"),
]


@pytest.mark.parametrize("address", CLOSED)
def test_closed_networks_are_not_outside(address: str) -> None:
    assert not is_outside(ip_address(address))
    with pytest.raises(AddressRefused):
        open_addresses([address], EgressRules())


@pytest.mark.parametrize("address", OPEN)
def test_the_open_internet_is(address: str) -> None:
    assert is_outside(ip_address(address))


@pytest.mark.parametrize("address", [*SPELLINGS, *MALFORMED])
def test_no_spelling_of_a_closed_address_is_taken(address: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        parse_target(address, EgressRules())
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize(
    ("address", "host", "port", "path"),
    [
        ("https://shop.example", "shop.example", 443, "/"),
        ("https://Shop.Example:8443/a%20b?x=1&y=%2F#part", "shop.example", 8443, "/a%20b?x=1&y=%2F"),
        ("https://茶.example/订单", "xn--cl1a.example", 443, "/%E8%AE%A2%E5%8D%95"),
        ("https://8.8.8.8:65535/", "8.8.8.8", 65535, "/"),
        ("https://[2606:4700:4700::1111]:1/x", "2606:4700:4700::1111", 1, "/x"),
        ("https://my_service.shop.example/", "my_service.shop.example", 443, "/"),
    ],
)
def test_a_good_address_is_taken_apart(address: str, host: str, port: int, path: str) -> None:
    target = parse_target(address, EgressRules())
    assert (target.scheme, target.host, target.port, target.path) == ("https", host, port, path)


def test_of_a_names_addresses_only_the_open_ones_are_called() -> None:
    assert open_addresses(["10.0.0.1", "8.8.8.8", "::1", "nonsense"], EgressRules()) == ["8.8.8.8"]
    rules = EgressRules(allowed=parse_networks("10.1.0.0/16"))
    assert open_addresses(["10.1.2.3", "10.2.2.3"], rules) == ["10.1.2.3"]
    with pytest.raises(AddressRefused):
        open_addresses([], EgressRules())


@dataclass
class Canary:
    """A listener on loopback that answers with fixed bytes and keeps what it was sent."""

    answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    is_silent: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, answer, close."""
        self.connections += 1
        try:
            self.heard.append(await _request(reader))
            if not self.is_silent:
                writer.write(self.answer)
                await writer.drain()
            else:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
    length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
    return head + await reader.readexactly(length)


@asynccontextmanager
async def listening(canary: Canary, tls: ssl.SSLContext | None = None) -> AsyncIterator[Canary]:
    """The canary on a free port of 127.0.0.1."""
    server = await asyncio.start_server(canary.serve, "127.0.0.1", 0, ssl=tls)
    canary.port = server.sockets[0].getsockname()[1]
    async with server:
        yield canary


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    """Who must not be called, or may be."""
    async with listening(Canary()) as heard:
        yield heard


class Rebinding:
    """A resolver that tells an open address first and a closed one ever after."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        """The next answer; the last one stays."""
        assert (host, port) > ("", 0)
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def _post(client: EgressClient, address: str) -> int:
    return (await client.post(address, headers={"X-Own": "1"}, body=b"{}")).status


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "0"])
async def test_the_canary_hears_nothing(canary: Canary, host: str) -> None:
    client = EgressClient(EgressRules(allow_http=True))
    with pytest.raises(AddressRefused):
        await _post(client, f"http://{host}:{canary.port}/")
    assert canary.connections == 0


async def test_a_name_that_leads_inside_is_refused_before_connecting(canary: Canary) -> None:
    for inside in (["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["169.254.169.254"], ["127.0.0.1", "10.0.0.1"]):
        client = EgressClient(EgressRules(allow_http=True), resolve=Rebinding(inside))
        with pytest.raises(AddressRefused):
            await _post(client, f"http://hooks.shop.example:{canary.port}/")
    assert canary.connections == 0


async def test_a_rebinding_name_is_asked_once_and_connected_where_it_was_judged(canary: Canary) -> None:
    """The name is allowed to lead to 127.0.0.1 the first time; had it been asked again, 127.0.0.2 would be called."""
    resolver = Rebinding(["127.0.0.1"], ["127.0.0.2"])
    client = EgressClient(
        EgressRules(allow_http=True, allowed=parse_networks("127.0.0.1/32")), resolve=resolver, total_seconds=30
    )
    assert await _post(client, f"http://hooks.shop.example:{canary.port}/in?a=1") == 204
    assert resolver.asked == 1
    assert canary.heard[0].startswith(b"POST /in?a=1 HTTP/1.1\r\n")
    assert f"Host: hooks.shop.example:{canary.port}\r\n".encode() in canary.heard[0]
    with pytest.raises(AddressRefused):
        await _post(client, f"http://hooks.shop.example:{canary.port}/")
    assert canary.connections == 1


async def test_redirects_are_answers(canary: Canary) -> None:
    away = f"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:{canary.port}/inside\r\nContent-Length: 0\r\n\r\n"
    async with listening(Canary(away.encode())) as consumer:
        client = EgressClient(LOOPBACK, total_seconds=30)
        assert await _post(client, f"http://127.0.0.1:{consumer.port}/") == 307
    assert canary.connections == 0


async def test_proxies_of_the_environment_are_not_used(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    async with listening(Canary()) as consumer:
        assert await _post(EgressClient(LOOPBACK, total_seconds=30), f"http://127.0.0.1:{consumer.port}/") == 204
    assert (canary.connections, consumer.connections) == (0, 1)


async def test_long_answers_are_cut_and_packed_ones_not_unpacked() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
    async with listening(Canary(head + b"x" * (MOST_BYTES + 100_000))) as consumer:
        address = f"http://127.0.0.1:{consumer.port}/"
        answer = await EgressClient(LOOPBACK, total_seconds=30).post(address, headers={}, body=b"")
    assert (answer.status, len(answer.body), answer.is_cut) == (200, MOST_BYTES, True)


async def test_a_silent_consumer_is_given_up() -> None:
    async with listening(Canary(is_silent=True)) as consumer:
        with pytest.raises(EgressFailed, match="no answer within"):
            await _post(EgressClient(LOOPBACK, total_seconds=0.5), f"http://127.0.0.1:{consumer.port}/")


async def test_what_is_not_there_or_no_http_is_said_without_the_address() -> None:
    async with listening(Canary(b"SSH-2.0-OpenSSH\r\n")) as consumer:
        port = consumer.port
        with pytest.raises(EgressFailed, match="the connection broke"):
            await _post(EgressClient(LOOPBACK, total_seconds=30), f"http://127.0.0.1:{port}/")
    with pytest.raises(EgressFailed) as failed:
        await _post(EgressClient(LOOPBACK, total_seconds=30), f"http://127.0.0.1:{port}/")
    assert str(port) not in str(failed.value)


async def test_a_name_that_is_not_known(canary: Canary) -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError(host)

    with pytest.raises(EgressFailed, match="the name is not known"):
        await _post(EgressClient(LOOPBACK, resolve=unknown), f"http://nowhere.example:{canary.port}/")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b"])
async def test_headers_cannot_be_smuggled(canary: Canary, value: str) -> None:
    client = EgressClient(LOOPBACK)
    with pytest.raises(EgressFailed):
        await client.post(f"http://127.0.0.1:{canary.port}/", headers={"X-Own": value}, body=b"")
    with pytest.raises(EgressFailed):
        await client.post(f"http://127.0.0.1:{canary.port}/", headers={value: "x"}, body=b"")
    assert canary.connections == 0


def _certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A context whose certificate, in the folder's cert.pem, is good for `name` alone."""
    key, now = ec.generate_private_key(ec.SECP256R1()), process_now()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(plain)
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_the_certificate_must_be_that_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = _certificate(tmp_path, "hooks.shop.example")
    named = list[str | None]()
    tls.sni_callback = lambda _, name, __: named.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    rules = EgressRules(allowed=LOOPBACK.allowed)
    trusting = EgressClient(rules, resolve=Rebinding(["127.0.0.1"]), total_seconds=30)
    monkeypatch.delenv("SSL_CERT_FILE")
    doubting = EgressClient(rules, resolve=Rebinding(["127.0.0.1"]), total_seconds=30)
    async with listening(Canary(), tls) as consumer:
        assert await _post(trusting, f"https://hooks.shop.example:{consumer.port}/") == 204
        with pytest.raises(EgressFailed, match="certificate"):
            await _post(trusting, f"https://other.shop.example:{consumer.port}/")
        with pytest.raises(EgressFailed, match="certificate"):
            await _post(doubting, f"https://hooks.shop.example:{consumer.port}/")
    assert named[0] == "hooks.shop.example"
    assert len(consumer.heard) == 1
