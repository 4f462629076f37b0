import gzip

import pytest
import zstandard

from gateway.api.answers import Heads, Memory, preferred_coding

HEADS = Heads({"Vary": "Accept-Encoding"})
BODY = b'{"data":[' + b'"plan",' * 2000 + b'""]}'


def remembered(memory, question="/v1/plans", body=BODY):
    return memory.answer(question, body, "/v1/plans", HEADS, keep=True)


@pytest.fixture
def memory():
    made = Memory()
    made.at("v1")
    return made


def test_an_answer_is_found_until_the_version_changes(memory):
    answer = remembered(memory)
    assert memory.at("v1")["/v1/plans"] is answer
    assert memory.at("v2") == {}
    assert memory.at("v1") == {}


def test_the_etag_differs_by_version_question_and_form(memory):
    tags = {remembered(memory).plain.etag, remembered(memory, "/v1/plans?country=JP").plain.etag}
    tags.add(remembered(memory).form("gzip")[0].etag)
    memory.at("v2")
    tags.add(remembered(memory).plain.etag)
    assert len(tags) == 4
    assert not any(tag.startswith("W/") for tag in tags)


def test_every_form_expands_to_the_same_bytes(memory):
    answer = remembered(memory)
    assert gzip.decompress(answer.form("gzip")[0].body) == BODY
    assert zstandard.decompress(answer.form("zstd")[0].body) == BODY
    assert answer.form(None)[0].body == BODY
    assert answer.form("gzip")[0].headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in answer.form(None)[0].headers


def test_a_form_is_made_once(memory):
    answer = remembered(memory)
    first, added = answer.form("gzip, deflate")
    assert added == len(first.body)
    assert answer.form("gzip, deflate") == (first, 0)
    assert answer.form("gzip;q=0.5") == (first, 0)


def test_a_short_answer_is_not_compressed(memory):
    assert remembered(memory, body=b'{"data":[]}').form("gzip")[0].body == b'{"data":[]}'


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, zstd", "zstd"),
        ("zstd;q=0.1, gzip;q=0.9", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("*", "zstd"),
        ("br", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=nonsense", None),
        ("", None),
        (";,;=,", None),
    ],
)
def test_the_coding_is_the_one_that_the_client_likes_best(header, coding):
    assert preferred_coding(header) == coding


def test_a_client_holds_the_answer_in_whatever_form_it_got_it(memory):
    answer = remembered(memory)
    plain, packed = answer.plain.etag, answer.form("gzip")[0].etag
    assert answer.matching_etag(plain) == plain
    assert answer.matching_etag(f'"other", {packed}') == packed
    assert answer.matching_etag("*") == plain
    assert answer.matching_etag(f"W/{plain}") == plain
    assert answer.matching_etag('"other"') is None
    assert answer.matching_etag("") is None


def test_the_oldest_answers_make_room():
    memory = Memory(most=3, most_bytes=10**9)
    memory.at("v1")
    for number in range(5):
        remembered(memory, f"/{number}")
    assert list(memory.answers) == ["/2", "/3", "/4"]


def test_bytes_are_bounded_and_compressed_forms_count():
    memory = Memory(most=10**6, most_bytes=400_000)
    memory.at("v1")
    for number in range(200):
        answer = remembered(memory, f"/{number}")
        memory.grew(answer.form("gzip")[1])
    held = sum(answer.size() for answer in memory.answers.values())
    assert 100_000 < held <= 400_000
    assert "/199" in memory.answers


def test_one_huge_answer_does_not_push_out_the_others():
    memory = Memory(most_bytes=100_000)
    memory.at("v1")
    remembered(memory, "/small", b"{}")
    remembered(memory, "/huge", b" " * 90_000)
    assert list(memory.answers) == ["/small"]


def test_what_is_not_to_be_kept_is_not(memory):
    memory.answer("/v1/plans/x/offers", BODY, "/v1/plans/{plan_id}/offers", HEADS, keep=False)
    assert memory.answers == {}
