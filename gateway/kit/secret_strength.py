"""Whether a secret key can be guessed, judged from its text alone; and a new one. Pure.

What a guesser tries first is taken out: words of such keys, what was there before, and runs along the alphabet, the
digits or a row of the keyboard. What is left is counted as length x log2(distinct characters).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from math import log2

LEAST_BITS = 100
_SHORTEST = 4  # of a repetition or run; shorter ones stand in many random keys, too
_SHORTEST_RESPELT = 5  # of a word with digits for letters; shorter ones stand in random hexadecimal digits

# Words that made-up keys are made of.
_COMMON_WORDS = """
    admin administrator amet api app application attention bad bar base battery baz before brown change changeit
    changeme character characters chars city code company config correct crypt cryptography data database
    default demo deploy dev develop developer development docker dog dolor dummy eight encrypt encryption enough
    environment esim esimgateway example fake fifty first five foo foobar forever forty four fox gate gateway
    generate generated hello hidden horse hunter insecure insert internal invalid ipsum jumps key keys lazy
    least letmein letter letters live local localhost login long longer lorem made make master minimum monkey
    more must mypassword mysecret never nine nobody not one only other over passphrase passw0rd password
    passwort placeholder please postgres private prod production public quick random real really redis replace
    root safe sample secret secrets secure security server service set seven shop should signing sim sit six
    sixty stage staging staple store storefront strong super supplier sure system temp ten test testing text
    than that the then thing thirty this three todo token two unsafe use used user value very weak welcome with
    word words world xxx you your zero
""".split()  # noqa: SIM905 - a list would be three times as long
_LITTLE_WORDS = frozenset("a an and as at be but by do for from i in is it me my no of on or so to up us we".split())  # noqa: SIM905
_WORD = re.compile("|".join(sorted(set(_COMMON_WORDS), key=lambda word: (-len(word), word))))
_PLAIN_LETTERS = str.maketrans("013457@$!", "oleastasi")  # "P4ssw0rd" reads "password"
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl",
    "qsdfghjklm", "zxcvbnm", "yxcvbnm", "wxcvbn", "!@#$%^&*()", "1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm",
)  # fmt: skip
_LINES = tuple(line for row in _ROWS for line in (row, row[::-1]))


def new_secret() -> str:
    """A random key of 48 letters, digits, - and _: 288 bits."""
    return secrets.token_urlsafe(36)


def guessable_bits(secret: str) -> float:
    """The bits that are left of a secret once words, repetitions and runs are taken out."""
    left = _without_words(secret)
    woven = left[::2] + left[1::2]  # "1q2w3e4r" is two runs, letter by letter
    return min(_bits(_without_runs(_without_repetitions(text))) for text in (left, woven))


def is_weak(secret: str) -> bool:
    """Whether fewer than 100 bits are left."""
    return guessable_bits(secret) < LEAST_BITS


def _bits(text: str) -> float:
    return len(text) * log2(len(set(text))) if text else 0.0


def _without_words(text: str) -> str:
    """Without the words above, also where digits stand for letters, and without what joins them."""
    lowered = text.casefold()
    lowered = lowered if len(lowered) == len(text) else text.lower()
    if len(lowered) != len(text):
        return text
    taken: set[int] = set()
    for spelling, shortest in ((lowered, 0), (lowered.translate(_PLAIN_LETTERS), _SHORTEST_RESPELT)):
        for found in _WORD.finditer(spelling):
            if len(found[0]) >= shortest:
                taken.update(range(*found.span()))
    for found in re.finditer(r"[^\W\d_]+", lowered):
        if found[0] in _LITTLE_WORDS:
            taken.update(range(*found.span()))
    if not taken:
        return text
    joints = {place for place, letter in enumerate(text) if not letter.isalnum() and {place - 1, place + 1} & taken}
    return "".join(letter for place, letter in enumerate(text) if place not in taken | joints)


def _without_repetitions(text: str) -> str:
    """Without every part of four characters or more that stood there before, capitals or not."""
    folded, kept, place = text.lower(), [], 0
    while place < len(text):
        length = _SHORTEST
        if folded.find(folded[place : place + length], 0, place + length - 1) < 0 or place + length > len(text):
            kept.append(text[place])
            place += 1
            continue
        while place + length < len(text) and folded.find(folded[place : place + length + 1], 0, place + length) >= 0:
            length += 1
        place += length
    return "".join(kept)


def _without_runs(text: str) -> str:
    """With each run of four characters or more as its first character."""
    return "".join(run[0] if len(run) >= _SHORTEST else run for run in _runs(text))


def _runs(text: str) -> Iterator[str]:
    """The text in parts, each going along one row in one direction."""
    lowered, begun = text.lower(), 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not any(lowered[begun : place + 1] in line for line in _LINES):
            yield text[begun:place]
            begun = place
