"""Reading answers, whatever they are made of."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.errors import Malformed
from federation.answer import is_activity_type, read_all, read_head
from federation.guard import Limits

LIMITS = Limits(document=1_000)


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def cut(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@given(some.binary(max_size=1_000), some.integers(min_value=1, max_value=100))
async def test_a_body_is_the_same_however_it_is_cut_and_compressed(body: bytes, size: int) -> None:
    limits = Limits(document=1_000, ratio=1_000)

    assert await read_all(stream(cut(body, size)), "", limits) == body
    assert await read_all(stream(cut(gzip.compress(body), size)), "gzip", limits) == body


@pytest.mark.proves("P-172", "P-310")
@given(some.lists(some.binary(max_size=50)), some.sampled_from(["", "identity", "gzip", "x-gzip", "br", "deflate"]))
async def test_any_octets_are_a_body_within_limits_or_malformed(chunks: list[bytes], encoding: str) -> None:
    try:
        body = await read_all(stream(chunks), encoding, LIMITS)
    except Malformed:
        return
    assert len(body) <= LIMITS.document


@pytest.mark.proves("P-172", "P-310")
async def test_a_bomb_is_not_unpacked_before_it_is_refused() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000, wbits=31)

    tracemalloc.start()
    with pytest.raises(Malformed, match="compressed beyond belief"):
        await read_all(stream([bomb]), "gzip", Limits())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 5_000_000  # octets


@pytest.mark.proves("P-168")
@given(some.lists(some.binary(max_size=50)), some.integers(min_value=1, max_value=100))
async def test_the_head_of_a_body_is_as_long_as_one_wants(chunks: list[bytes], most: int) -> None:
    assert await read_head(stream(chunks), most) == b"".join(chunks)[:most]


@pytest.mark.proves("P-300")
@given(some.text() | some.builds("application/ld+json;{}".format, some.text()))
def test_no_odd_content_type_is_activitystreams(content_type: str) -> None:
    likely = content_type.lower().replace(" ", "")

    assert not is_activity_type(content_type) or "activity+json" in likely or "activitystreams" in likely
