"""Passwords: made up, checked for length, hashed and verified with argon2id.

A hash takes 64 MiB and some 100 ms of a core, so a process works out two at a time, in threads to which the scheduler
prefers every other, and refuses further work when too much waits: a flood of log-ins takes neither its memory nor its
event loop.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 500
AT_ONCE = 2
MOST_WAITING = 16  # a second or so of work
RETRY_AFTER_SECONDS = 2
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
_NICENESS = 10
T = TypeVar("T")


class PasswordsBusyError(Exception):
    """Too many passwords wait to be hashed. Try again after ``RETRY_AFTER_SECONDS``."""


_places: set[object] = set()  # of passwords that are hashed or wait for it in this process


@contextmanager
def reserved() -> Iterator[None]:
    """A place for hashing one password, taken before anything else is done for it.

    Raises ``PasswordsBusyError`` when none is left.
    """
    if len(_places) >= AT_ONCE + MOST_WAITING:
        raise PasswordsBusyError
    place = object()
    _places.add(place)
    try:
        yield
    finally:
        _places.discard(place)


def new_password() -> str:
    """A random password of four groups of five: 98 bits, and it can be read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


async def hash_password(password: str) -> str:
    """The argon2id hash of a password. Raises ``PasswordsBusyError``."""
    with reserved():
        return await _in_thread(lambda: _hasher().hash(password))


async def verify_password(hashed: str | None, password: str) -> bool:
    """Whether ``hashed`` is the hash of this password. None, for a user who is not there, takes the same work.

    The caller holds a ``reserved()`` place.
    """

    def verify() -> bool:
        nobodys = _nobodys_hash()  # made before either is verified, so that the first time does not tell them apart
        try:
            _hasher().verify(nobodys if hashed is None else hashed, password[: LONGEST_PASSWORD + 1])
        except (Argon2Error, InvalidHashError):
            return False
        return hashed is not None

    return await _in_thread(verify)


def needs_rehash(hashed: str) -> bool:
    """Whether a hash was made with older parameters than today's."""
    return _hasher().check_needs_rehash(hashed)


def _yield_to_others() -> None:
    if sys.platform == "linux":  # elsewhere niceness is one for the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)


_THREADS = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords", initializer=_yield_to_others)


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(parallelism=1)  # more would be threads that the library starts by itself


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe())
