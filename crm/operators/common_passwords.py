"""Passwords that guessers try first, made from words and rules instead of a copied list.

Only what passes the length rule is of interest: words joined, repeated, decorated with years, counts and signs.
"""

import re
from functools import cache
from itertools import product

MINIMUM_LENGTH = 12
_LISTED = (
    "password passwort passwd admin administrator root welcome login letmein changeme default secret master "
    "qwerty qwertyuiop qwertz azerty asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc football baseball basketball "
    "superman batman dragon monkey tiger sunshine princess princesa iloveyou loveyou shadow michael jordan jennifer "
    "charlie andrew daniel ashley jessica joshua matthew hunter ginger pepper cookie summer winter spring autumn "
    "monday friday sunday january february august october november december flower freedom whatever trustno "
    "computer internet samsung google facebook telegram wechat weixin microsoft windows apple company business "
    "office manager operator marketing customer service support system server database test testing guest user "
    "owner shop store brand coupon member siyu tea coffee china beijing shanghai shenzhen guangzhou hangzhou taobao "
    "woaini woaiwo aini iloveu nihao zhongguo mima zhanghao guanliyuan laoban qwer asdf zxcv abc abcd abcdef letme "
    "hello helloworld correcthorse batterystaple starwars pokemon naruto minecraft liverpool chelsea arsenal"
)
_WORDS = tuple(_LISTED.split())
_RUNS = (
    "0123456789",
    "1234567890",
    "9876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "qazwsxedcrfvtgbyhnujm",
)
_ENDINGS = ("", "1", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "0000", "888", "666")
_YEARS = tuple(str(year) for year in range(1980, 2036))
_SIGNS = ("", "!", "!!", "@", "#", ".", "?")
_UNDO_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_NO_LETTERS = re.compile(r"[\W\d_]+")
_DECORATION = re.compile(r"^[\W\d_]+|[\W\d_]+$")


@cache
def common_passwords() -> frozenset[str]:
    """The block list, lower case: several thousand passwords of the allowed length."""
    made = {f"{word}{end}{sign}" for word, end, sign in product(_WORDS, (*_ENDINGS, *_YEARS), _SIGNS)}
    made |= {f"{word}{joint}{word}" for word, joint in product(_WORDS, ("", "-", "_", " ", "123"))}
    made |= {f"{first}{second}" for first, second in product(_WORDS, _WORDS)}
    for run in _RUNS:
        turned = run + run[::-1]
        made |= {turned[start : start + size] for size in range(12, 25) for start in range(len(turned) - size + 1)}
        made |= {(run * 3)[:size] for size in range(12, 31)}
    return frozenset(password for password in made if len(password) >= MINIMUM_LENGTH)


def is_common(password: str) -> bool:
    """Whether `password`, or what is left when its disguise is taken off, is on the block list."""
    lower = "".join(password.lower().split())
    plain = lower.translate(_UNDO_LEET)
    if {lower, plain} & common_passwords():
        return True
    bare = _DECORATION.sub("", lower).translate(_UNDO_LEET)
    letters = _NO_LETTERS.sub("", lower)
    return any(_is_one_word(candidate) for candidate in (lower, plain, bare, letters))


def _is_one_word(text: str) -> bool:
    """`admin`, `adminadminadmin`: nothing but one listed word, any number of times."""
    return any(text == word * (len(text) // len(word)) for word in _WORDS if len(text) >= len(word))
