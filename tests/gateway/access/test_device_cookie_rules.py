"""The cookie of a device that logged in before."""

import pytest

from gateway.access.device_cookie_rules import MOST_USERS, device_of, remember_device
from gateway.kit.sealing import Seal

SEAL = Seal(["k" * 40])


def test_a_device_is_known_for_the_user_who_logged_in_and_for_nobody_else():
    cookie = remember_device(SEAL, "usr_1", "")
    assert device_of(SEAL, "usr_1", cookie)
    assert device_of(SEAL, "usr_2", cookie) is None


def test_a_device_keeps_its_id_at_the_next_log_in_and_serves_several_users():
    first = remember_device(SEAL, "usr_1", "")
    second = remember_device(SEAL, "usr_2", first)
    again = remember_device(SEAL, "usr_1", second)
    assert device_of(SEAL, "usr_1", again) == device_of(SEAL, "usr_1", first)
    assert device_of(SEAL, "usr_2", again) == device_of(SEAL, "usr_2", second)
    assert device_of(SEAL, "usr_1", again) != device_of(SEAL, "usr_2", again)


def test_the_cookie_holds_few_users_and_forgets_the_oldest():
    cookie = ""
    for number in range(MOST_USERS + 1):
        cookie = remember_device(SEAL, f"usr_{number}", cookie)
    assert device_of(SEAL, "usr_0", cookie) is None
    assert device_of(SEAL, f"usr_{MOST_USERS}", cookie)


def test_a_device_stays_known_while_its_secret_key_is_in_the_list():
    cookie = remember_device(SEAL, "usr_1", "")
    assert device_of(Seal(["n" * 40, "k" * 40]), "usr_1", cookie)
    assert device_of(Seal(["n" * 40]), "usr_1", cookie) is None


@pytest.mark.parametrize("cookie", ["", "~", "a.b", "x" * 900, "ä" * 16 + "." + "b" * 22, "a" * 16 + "." + "b" * 22])
def test_what_others_write_into_the_cookie_is_no_device(cookie):
    assert device_of(SEAL, "usr_1", cookie) is None
    assert device_of(SEAL, "usr_1", remember_device(SEAL, "usr_1", cookie))


def test_a_device_id_cannot_be_chosen():
    cookie = remember_device(SEAL, "usr_1", "")
    device, _, mac = cookie.partition(".")
    assert device_of(SEAL, "usr_1", f"{'a' * len(device)}.{mac}") is None
