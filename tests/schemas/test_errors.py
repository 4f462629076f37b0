import inspect
import pickle

import pytest

from schemas import errors
from schemas.errors import (
    CircuitOpen,
    ConfigurationError,
    ConnectionLost,
    DeadlinePassed,
    DuplicateReference,
    GatewayError,
    InsufficientBalance,
    InvalidRequest,
    NotAuthorised,
    NotFound,
    NotReached,
    NotSupported,
    Outcome,
    OutOfStock,
    RateLimited,
    RateLimiterUnavailable,
    Refused,
    ServerFault,
    SupplierError,
    TimedOut,
    UnreadableAnswer,
)

DEFINITE = {
    NotReached,
    CircuitOpen,
    DeadlinePassed,
    RateLimiterUnavailable,
    RateLimited,
    Refused,
    NotAuthorised,
    NotFound,
    OutOfStock,
    InsufficientBalance,
    InvalidRequest,
}
UNKNOWN = {SupplierError, TimedOut, ConnectionLost, ServerFault, UnreadableAnswer, DuplicateReference}
ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SupplierError)]


def test_every_kind_of_error_is_known_to_be_definite_or_not():
    assert set(ALL) == DEFINITE | UNKNOWN


@pytest.mark.parametrize("kind", ALL)
def test_only_what_certainly_did_not_happen_lets_the_next_supplier_be_tried(kind):
    expected = Outcome.DID_NOT_HAPPEN if kind in DEFINITE else Outcome.UNKNOWN
    assert kind("why").outcome is expected


def test_an_error_may_know_better_than_its_kind():
    assert Refused("why", outcome=Outcome.UNKNOWN).outcome is Outcome.UNKNOWN
    assert Refused("why").outcome is Outcome.DID_NOT_HAPPEN


def test_every_kind_has_a_code_of_its_own():
    assert len({kind.code for kind in ALL}) == len(ALL)


def test_a_refusal_of_any_kind_is_a_refusal_and_a_duplicate_reference_is_none():
    for kind in (NotAuthorised, NotFound, OutOfStock, InsufficientBalance, InvalidRequest):
        assert issubclass(kind, Refused)
    assert not issubclass(DuplicateReference, Refused)


def test_a_wrong_configuration_is_swallowed_by_no_handler_of_supplier_faults():
    assert not issubclass(ConfigurationError, GatewayError)


def test_an_error_says_who_what_and_with_which_status():
    assert str(ServerFault("it broke", supplier="pikasim", status=503)) == "pikasim: it broke (HTTP 503)"
    assert str(NotReached("no route")) == "no route"


def test_an_error_keeps_what_it_knows():
    error = RateLimited("slow down", supplier="s2s", status=429, retry_after=2.5)
    assert (error.detail, error.supplier, error.status, error.retry_after) == ("slow down", "s2s", 429, 2.5)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.detail, again.retry_after) == (RateLimited, "slow down", 2.5)


def test_what_a_supplier_cannot_do_names_the_capability_and_the_reason():
    error = NotSupported("beppay", "cancel", "it has no such call")
    assert (error.supplier, error.capability) == ("beppay", "cancel")
    assert str(error) == "beppay does not offer cancel: it has no such call"
    assert str(NotSupported("beppay", "cancel")) == "beppay does not offer cancel"
