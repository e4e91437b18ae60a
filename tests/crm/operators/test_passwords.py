"""Which passwords may be used, and how they are kept."""

import pytest

from crm.operators import passwords
from crm.operators.common_passwords import common_passwords, is_common
from crm.operators.errors import WeakPasswordError
from crm.operators.policy import check_password


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short 7!",
        "password1234",
        "P@ssw0rd!2024",
        "adminadminadmin",
        "qwertyuiop123",
        "123456789012",
        "correct horse battery staple",
        "woaini123456",
        "aaaaaaaaaaaaaaa",
        "abababababababab",
        "lin@shop.example",
        "lin@shop.example1",
        "Xiaoman2024",
        "xiaoman-xiaoman",
        "x" * 257,
    ],
)
def test_guessable_passwords_are_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        check_password(password, email="lin@shop.example", name="Lin Xiaoman")


@pytest.mark.parametrize(
    "password",
    [
        "tulip anchor mosaic 7",
        "头采春茶，云上有家，一壶好水",
        "j8#kQ2!vLp0zR",
        "ocean lantern cobalt river",
        "🍵 teapot and a kite",
        "837462915540",
    ],
)
def test_hard_passwords_are_taken(password: str) -> None:
    check_password(password, email="lin@shop.example", name="Lin Xiaoman")


def test_the_block_list_holds_thousands_of_the_allowed_length() -> None:
    assert len(common_passwords()) >= 3000
    assert min(map(len, common_passwords())) >= 12
    assert is_common("Sunshine-2019!")


async def test_hashes_are_argon2id_and_differ() -> None:
    one, two = await passwords.hashed("tulip anchor mosaic 7"), await passwords.hashed("tulip anchor mosaic 7")
    assert one != two
    assert one.startswith("$argon2id$")
    assert await passwords.is_right("tulip anchor mosaic 7", one)
    assert not await passwords.is_right("tulip anchor mosaic 8", one)
    assert not await passwords.is_right("tulip anchor mosaic 7", None)
    assert not await passwords.is_right("tulip anchor mosaic 7", "no hash")


def test_a_weaker_hash_is_noticed() -> None:
    weak = "$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$mB4dWqXoqDhjJzQEs3qRhg"
    assert passwords.is_outdated(weak)
