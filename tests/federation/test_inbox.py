"""What an inbox answers, and what it keeps: nothing of what is not proven, and every activity once."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import msgspec
import pytest

from activitypub.document import Json
from coop import blocks, departures
from coop.follows import Follow
from federation.keyring import key as key_of
from federation.tables import Actor, Object, Receipt
from tests.federation.stranger import AS2, Stranger
from tests.fediverse import Fediverse, Studio
from web import limits


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
def social(fediverse: Fediverse) -> Stranger:
    return Stranger(fediverse)


@pytest.fixture
def evil(fediverse: Fediverse) -> Stranger:
    """Another server, with keys of its own, that means no good."""
    return Stranger(fediverse, "evil.example", key=3)


def letter(attic: Studio, social: Stranger, author: str, **more: Any) -> Json:
    """A Create that concerns us: it is for the owner of the attic."""
    note = social.note("note", author, to=[attic.uri], **more)
    return social.activity("Create", author, note, to=[attic.uri])


async def known(attic: Studio) -> list[str]:
    return [one.uri for one in await attic.knows(Object)]


# --- Signatures --------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-100", "P-302")
@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
@pytest.mark.parametrize("inbox", ["/inbox", "/actor/inbox", "personal"])
async def test_what_its_actor_signed_is_taken(
    fediverse: Fediverse, attic: Studio, social: Stranger, inbox: str, scheme: Any
) -> None:
    cleo = social.actor("cleo")
    url = f"{attic.uri}/inbox" if inbox == "personal" else f"{attic.home}{inbox}"

    answer = await social.sends(url, letter(attic, social, cleo), scheme=scheme)
    await fediverse.settle()

    assert (answer.status_code, answer.content) == (202, b"")
    assert await known(attic) == [f"{social.home}/note"]


def _altered(request: httpx.Request) -> httpx.Request:
    return _with(request, body=request.content.replace(b"<p>note", b"<p>vote"))


def _with(request: httpx.Request, body: bytes | None = None, **headers: str) -> httpx.Request:
    changed = {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    changed.pop("content-length")
    return httpx.Request(
        request.method, request.url, headers=changed, content=request.content if body is None else body
    )


def _altered_with_its_digest(request: httpx.Request) -> httpx.Request:
    altered = _altered(request)
    digest = base64.b64encode(hashlib.sha256(altered.content).digest()).decode()
    return _with(altered, digest=f"SHA-256={digest}")


def _unsigned_digest(request: httpx.Request) -> httpx.Request:
    return _with(request, signature=request.headers["signature"].replace(" digest", ""))


def _two_digests(request: httpx.Request) -> httpx.Request:
    return _with(request, digest=f"SHA-256={'A' * 43}=,{request.headers['digest']}")


def _other_signature(request: httpx.Request) -> httpx.Request:
    value = base64.b64encode(b"x" * 256).decode()
    head = request.headers["signature"].partition("signature=")[0]
    return _with(request, signature=f'{head}signature="{value}"')


def _no_signature(request: httpx.Request) -> httpx.Request:
    changed = {name: value for name, value in request.headers.items() if name not in ("signature", "content-length")}
    return httpx.Request("POST", request.url, headers=changed, content=request.content)


@pytest.mark.proves("P-304", "P-303", "P-100")
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(_no_signature, id="no signature"),
        pytest.param(_other_signature, id="wrong signature"),
        pytest.param(_altered, id="altered body"),
        pytest.param(_altered_with_its_digest, id="altered body and digest"),
        pytest.param(_unsigned_digest, id="digest not signed"),
        pytest.param(_two_digests, id="two digests"),
    ],
)
async def test_what_is_not_soundly_signed_is_refused_and_not_kept(
    attic: Studio, social: Stranger, broken: Callable[[httpx.Request], httpx.Request]
) -> None:
    cleo = social.actor("cleo")
    sound = social.signed(f"{attic.home}/inbox", letter(attic, social, cleo), f"{cleo}#main-key")

    answer = await social.brings(broken(sound))

    assert answer.status_code == 401
    assert answer.json()["error"]
    assert await attic.knows(Receipt) == []


@pytest.mark.proves("P-305", "P-092")
async def test_the_same_request_means_nothing_elsewhere_or_later(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    garage, cleo = await fediverse.studio("garage"), social.actor("cleo")
    sent = social.signed(f"{attic.home}/inbox", letter(attic, social, cleo), f"{cleo}#main-key")

    def moved(url: str, **headers: str) -> httpx.Request:
        return httpx.Request("POST", url, headers={**sent.headers, **headers}, content=sent.content)

    other_path = await social.brings(moved(f"{attic.uri}/inbox"))
    other_host = await social.brings(moved(f"{garage.home}/inbox", host=garage.host))
    other_name = await social.brings(moved(f"{garage.home}/inbox"))
    fediverse.later(hours=2)
    too_late = await social.brings(sent)

    assert [one.status_code for one in (other_path, other_host, other_name, too_late)] == [401, 401, 421, 401]
    assert await garage.knows(Receipt) == await attic.knows(Receipt) == []


@pytest.mark.proves("P-103", "P-092", "P-305")
async def test_a_repeat_is_acknowledged_and_has_no_effect(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    cleo = social.actor("cleo")
    first = letter(attic, social, cleo)
    other = {**first, "object": {**first["object"], "id": f"{social.home}/another"}}
    sent = social.signed(f"{attic.home}/inbox", first, f"{cleo}#main-key")

    answers = [await social.brings(sent), await social.brings(sent), await social.sends(attic, other)]
    await fediverse.settle()
    fediverse.later(days=89)
    answers.append(await social.sends(attic, other))
    await fediverse.settle()

    assert [answer.status_code for answer in answers] == [202] * 4
    assert await known(attic) == [f"{social.home}/note"]
    assert len(await attic.knows(Receipt)) == 1


@pytest.mark.proves("P-100")
async def test_what_is_acknowledged_is_stored(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    attic.instance.store.engine.dispose()

    answer = await social.sends(attic, letter(attic, social, cleo))
    [receipt] = await attic.knows(Receipt)

    assert answer.status_code == 202
    assert (receipt.state, receipt.actor, receipt.proven) == ("waiting", cleo, True)


# --- Order of checks ---------------------------------------------------------------------------------------------

DEEP = b"[" * 40 + b"]" * 40
FLAWS: list[tuple[str, int, dict[str, Any]]] = [
    # in the order of P-100: what is wrong, the answer to it, how a request gets it
    ("nowhere", 404, {"path": "/actors/nobody/inbox"}),
    ("text", 415, {"content_type": "text/plain"}),
    ("long", 413, {"content_length": "1048577"}),
    ("packed", 415, {"content_encoding": "gzip"}),
    ("another digest", 401, {"digest": f"SHA-256={'A' * 43}="}),
    ("another content digest", 401, {"content_digest": f"sha-256=:{'A' * 43}=:"}),
    ("no JSON", 400, {"body": b"{"}),
    ("two actors", 400, {"change": {"actor": ["https://social.example/cleo", "https://social.example/bella"]}}),
    ("a farewell", 202, {"change": {"type": "Delete", "object": "https://social.example/cleo"}}),
    ("a blocked key", 403, {"key_id": "https://blocked.example/cleo#main-key"}),
    ("a blocked actor", 202, {"change": {"actor": "https://blocked.example/cleo"}}),
    ("too late", 401, {"age": 2 * 3600}),
    ("too early", 401, {"age": -2 * 3600}),
    ("a key at no host", 401, {"key_id": "https://a..b/cleo#main-key"}),
    ("unknown key", 401, {"key_id": "https://social.example/nobody#main-key"}),
]
PAIRS = [
    pytest.param(first, second, id=f"{first[0]}, {second[0]}")
    for place, first in enumerate(FLAWS)
    for second in FLAWS[place + 1 :]
    if first[2].keys().isdisjoint(second[2]) and not {"change", "body"} <= {*first[2], *second[2]}
]


async def knock(attic: Studio, social: Stranger, **flaws: Any) -> httpx.Response:
    """What is answered to a request with `flaws`, and with nothing else wrong."""
    sent = {"id": "https://social.example/cleo/1", "type": "Follow", "actor": "https://social.example/cleo"}
    sent |= {"object": attic.uri, **flaws.pop("change", {})}
    body = flaws.pop("body", msgspec.json.encode(sent))
    path, key_id, age = (
        flaws.pop("path", "/inbox"),
        flaws.pop("key_id", f"{social.home}/cleo#main-key"),
        flaws.pop("age", 0),
    )
    social.fediverse.later(seconds=-age)
    request = social.signed(f"{attic.home}{path}", body, key_id, **flaws)
    social.fediverse.later(seconds=age)
    return await social.brings(request)


@pytest.fixture
async def strict(attic: Studio, social: Stranger) -> Studio:
    """A studio that blocks somebody, and a stranger who could be known to it."""
    social.actor("cleo")
    await attic.does(lambda tx: blocks.block_domain(tx, "blocked.example"))
    return attic


@pytest.mark.proves("P-100", "P-101")
@pytest.mark.parametrize(("flaw", "status", "how"), FLAWS, ids=[flaw[0] for flaw in FLAWS])
async def test_each_flaw_has_its_answer(strict: Studio, social: Stranger, flaw: str, status: int, how: Any) -> None:
    answer = await knock(strict, social, **how)

    assert answer.status_code == status
    if status != 202:
        assert answer.headers["content-type"] == "application/json"
        assert len(answer.json()["error"]) > 10
        assert "Traceback" not in answer.text
    assert await strict.knows(Receipt) == []


@pytest.mark.proves("P-100")
async def test_of_two_flaws_the_earlier_is_answered(strict: Studio, social: Stranger) -> None:
    wrong = []

    for (first, status, how), (second, _, more) in [pair.values for pair in PAIRS]:  # type: ignore[misc]
        answer = await knock(strict, social, **how, **more)
        if answer.status_code != status:
            wrong.append(f"{first}, {second}: {answer.status_code}, not {status}")

    assert wrong == []
    assert await strict.knows(Receipt) == []


@pytest.mark.proves("P-100")
async def test_nothing_is_fetched_before_all_that_is_cheap_has_passed(strict: Studio, social: Stranger) -> None:
    for _, _, how in FLAWS[:-1]:
        await knock(strict, social, **how)

    assert social.asked == []


@pytest.mark.proves("P-100", "P-101")
async def test_an_inbox_is_written_with_post_alone(strict: Studio, social: Stranger) -> None:
    answer = await social.brings(httpx.Request("GET", f"{strict.home}/inbox"))

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["error"]


@pytest.mark.proves("P-100", "P-312")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"a":1}{"a":2}', id="two objects"),
        pytest.param(b'\xef\xbb\xbf{"type":"Like"}', id="a byte order mark"),
        pytest.param('{"type":"Like"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"type":"\xff"}', id="no UTF-8"),
        pytest.param(b'{"type":"\\ud800"}', id="half a character"),
        pytest.param(b'{"type":"Like","type":"Follow"}', id="a key twice"),
        pytest.param(b'{"type":NaN}', id="NaN"),
        pytest.param(b'{"a":' + DEEP + b"}", id="deep"),
        pytest.param(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="very deep"),
        pytest.param(b'{"a":"' + b"x" * (512 * 1024 + 1) + b'"}', id="a long string"),
        pytest.param(b"\x1f\x8b" + gzip.compress(b"{}"), id="packed, without saying so"),
        pytest.param(
            b'{"__proto__":{"type":"Follow"},"id":"https://social.example/1","actor":"https://social.example/cleo"}',
            id="no type",
        ),
        pytest.param(
            b'{"type":7,"id":"https://social.example/1","actor":"https://social.example/cleo"}', id="a number as type"
        ),
        pytest.param(
            b'{"type":"Fo\\u0007llow","id":"https://social.example/1","actor":"https://social.example/cleo"}',
            id="a type that rings a bell",
        ),
        pytest.param(
            b'{"type":"Like","id":"https://social.example/1","actor":"https://social.example/cleo",'
            b'"object":"https://attic.example/\\u0000"}',
            id="U+0000",
        ),
        pytest.param(b'{"type":"Follow"}', id="no actor"),
        pytest.param(b'{"type":"Follow","actor":"cleo"}', id="an actor that is no address"),
        pytest.param(b'{"type":"Delete","actor":"cleo","object":"cleo"}', id="a farewell by what is no address"),
        pytest.param(b'{"type":"Follow","actor":"ftp://social.example/cleo"}', id="an actor by FTP"),
        pytest.param(b'{"type":"Follow","actor":"https://social.example/%s"}' % (b"x" * 2048), id="a long actor"),
        pytest.param(b'{"type":"Follow","actor":"https://social.example/cleo","id":7}', id="a number as id"),
        pytest.param(
            b'{"type":"Follow","actor":"https://social.example/cleo","id":"7"}', id="an id that is no address"
        ),
        pytest.param(b'{"type":"Like","actor":"https://social.example/cleo"}', id="a Like without id"),
    ],
)
async def test_what_cannot_be_read_is_refused(attic: Studio, social: Stranger, body: bytes) -> None:
    cleo = social.actor("cleo")

    answer = await social.sends(attic, body, by=cleo)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert await attic.knows(Receipt) == []
    assert social.asked == []


@pytest.mark.proves("P-100", "P-310")
async def test_a_body_is_read_up_to_its_limit(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    head = msgspec.json.encode(social.activity("View", cleo, attic.uri))[:-1] + b',"x":"'
    strings = b'","y%d":"'

    def filled(size: int) -> bytes:
        body = head + b"x" * 400_000 + strings % 1 + b"x" * 400_000 + strings % 2
        return body + b"x" * (size - len(body) - 2) + b'"}'

    fits = await social.sends(attic, filled(1_048_576), by=cleo)
    exceeds = await social.sends(attic, filled(1_048_577), by=cleo)

    assert (fits.status_code, exceeds.status_code) == (202, 413)


@pytest.mark.proves("P-100")
async def test_the_inbox_of_somebody_who_left_is_gone(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    await attic.does(lambda tx: departures.leave(tx, attic.uri))

    answer = await social.sends(f"{attic.uri}/inbox", social.activity("Follow", cleo, attic.uri))

    assert answer.status_code == 410


@pytest.mark.proves("P-100", "P-310")
async def test_a_body_that_does_not_arrive_is_not_waited_for(
    attic: Studio, social: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleo = social.actor("cleo")
    request = social.signed(f"{attic.home}/inbox", social.activity("Follow", cleo, attic.uri), f"{cleo}#main-key")

    async def drip() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    monkeypatch.setattr(limits, "BODY_TIME", 0.05)
    slow = httpx.Request("POST", request.url, headers={**request.headers, "content-length": "900"}, content=drip())
    async with asyncio.timeout(5):
        answer = await social.brings(slow)

    assert answer.status_code == 408


@pytest.mark.proves("P-100", "P-310")
async def test_a_body_that_does_not_say_how_long_it_is_is_no_longer(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    sound = social.signed(f"{attic.home}/inbox", social.activity("Follow", cleo, attic.uri), f"{cleo}#main-key")
    chunks = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal chunks
        for chunks in range(1_000):  # noqa: B007 - how many were taken is what counts
            yield b"x" * 65_536

    headers = {name: value for name, value in sound.headers.items() if name != "content-length"}
    answer = await social.brings(httpx.Request("POST", sound.url, headers=headers, content=flood()))

    assert answer.status_code == 413
    assert chunks < 20


@pytest.mark.proves("P-100", "P-327")
async def test_whoever_knocks_too_often_is_told_to_wait(attic: Studio, social: Stranger) -> None:
    door = httpx.ASGITransport(attic.app, client=("203.0.113.7", 4711))
    statuses: list[int] = []

    while 429 not in statuses and len(statuses) < 5_000:  # on a slow machine some are forgiven meanwhile
        answer = await door.handle_async_request(httpx.Request("POST", f"{attic.home}/inbox"))
        statuses.append(answer.status_code)

    assert set(statuses) == {415, 429}
    assert len(statuses) > 600
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.proves("P-326")
async def test_no_context_is_ever_fetched(fediverse: Fediverse, attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    social.documents["/cleo"]["@context"] = [AS2, f"{social.home}/context", "https://evil.example/context"]  # type: ignore[index]
    create = letter(attic, social, cleo)
    create["@context"] = ["https://evil.example/context", f"{social.home}/context", {"@import": f"{social.home}/more"}]
    create["object"]["@context"] = f"{social.home}/inner"

    await social.sends(attic, social.proves(create))
    await fediverse.settle()

    assert await known(attic) == [f"{social.home}/note"]
    assert {one.url.path for one in fediverse.requests if one.method == "GET"} == {"/cleo"}


# --- Who says it -------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-302", "P-091")
async def test_the_key_of_another_proves_nothing(fediverse: Fediverse, attic: Studio, social: Stranger) -> None:
    cleo, bella = social.actor("cleo"), social.actor("bella")
    await social.sends(attic, social.activity("View", cleo, attic.uri))
    sent = social.activity("Follow", cleo, attic.uri)

    bare = await social.sends(attic, sent, by=bella)
    dressed = await social.sends(attic, {**sent, "signature": {"type": "RsaSignature2017"}}, by=bella)
    await fediverse.settle()

    assert bare.status_code == 401
    assert "nothing in it says that" in bare.json()["error"]
    assert dressed.status_code == 202
    assert await attic.knows(Follow) == []
    assert [one.proven for one in await attic.knows(Receipt) if one.type == "Follow"] == [False]


@pytest.mark.proves("P-302", "P-104")
async def test_a_key_of_another_server_proves_nothing(
    fediverse: Fediverse, attic: Studio, social: Stranger, evil: Stranger
) -> None:
    cleo, mallory = social.actor("cleo"), evil.actor("mallory")
    create = letter(attic, social, cleo)
    create["object"]["content"] = "<p>a lie</p>"

    await evil.sends(attic, create, by=mallory)
    await fediverse.settle()

    assert [one.document["content"] for one in await attic.knows(Object)] in ([], ["<p>note</p>"])


@pytest.mark.proves("P-104", "P-105")
async def test_an_id_on_another_server_is_nobodys_to_give(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    sent = {**social.activity("Follow", cleo, attic.uri), "id": "https://other.example/follow"}

    answer = await social.sends(attic, sent)

    assert answer.status_code == 202
    assert await attic.knows(Receipt) == []


@pytest.mark.proves("P-106", "P-112")
async def test_what_is_only_named_is_fetched_from_where_it_lives(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    cleo = social.actor("cleo")
    truth = social.note("truth", cleo, to=[attic.uri])

    await social.sends(attic, social.activity("Create", cleo, truth["id"], to=[attic.uri]))
    await fediverse.settle()

    assert [one.document["content"] for one in await attic.knows(Object)] == ["<p>truth</p>"]


@pytest.mark.proves("P-104", "P-105", "P-106")
async def test_what_lives_elsewhere_is_nobodys_to_create(
    fediverse: Fediverse, attic: Studio, social: Stranger, evil: Stranger
) -> None:
    cleo, mallory = social.actor("cleo"), evil.actor("mallory")
    lie = {**social.note("truth", cleo, to=[attic.uri]), "content": "<p>a lie</p>"}

    await evil.sends(attic, evil.activity("Create", mallory, lie, to=[attic.uri]))
    await fediverse.settle()

    assert await attic.knows(Object) == []
    assert social.asked == []  # nor does anybody have us ask another server for nothing


@pytest.mark.proves("P-105", "P-319")
@pytest.mark.parametrize("author", ["https://evil.example/mallory", "https://social.example/bella"])
async def test_nobody_creates_in_the_name_of_another(
    fediverse: Fediverse, attic: Studio, social: Stranger, author: str
) -> None:
    cleo = social.actor("cleo")
    social.actor("bella")
    note = {"id": f"{social.home}/forged", "type": "Note", "attributedTo": author, "content": "", "to": [attic.uri]}

    await social.sends(attic, social.activity("Create", cleo, note, to=[attic.uri]))
    await fediverse.settle()

    assert await known(attic) == []


@pytest.mark.proves("P-319", "P-105")
@pytest.mark.parametrize("form", ["id", "tombstone", "whole"])
@pytest.mark.parametrize("kind", ["Update", "Delete"])
@pytest.mark.parametrize("who", ["bella", "mallory"])
async def test_only_its_author_changes_a_post(
    fediverse: Fediverse, attic: Studio, social: Stranger, evil: Stranger, kind: str, form: str, who: str
) -> None:
    cleo = social.actor("cleo")
    create = letter(attic, social, cleo)
    await social.sends(attic, create)
    server = social if who == "bella" else evil
    changed = {**create["object"], "content": "<p>a lie</p>", "updated": "2026-03-02T10:00:00Z", "attributedTo": cleo}
    about = {"id": changed["id"], "tombstone": {"id": changed["id"], "type": "Tombstone"}, "whole": changed}[form]

    await server.sends(attic, server.activity(kind, server.actor(who), about))
    await fediverse.settle()

    [post] = await attic.knows(Object)
    assert (post.deleted, post.document["content"]) == (None, "<p>note</p>")


@pytest.mark.proves("P-319")
async def test_only_who_did_it_undoes_it(fediverse: Fediverse, attic: Studio, social: Stranger, evil: Stranger) -> None:
    cleo, bella, mallory = social.actor("cleo"), social.actor("bella"), evil.actor("mallory")
    follow = social.activity("Follow", cleo, attic.uri)
    await social.sends(attic, follow)
    await fediverse.settle()

    for server, who in ((social, bella), (evil, mallory)):
        await server.sends(attic, server.activity("Undo", who, follow))
        await server.sends(attic, server.activity("Undo", who, follow["id"]))
    await fediverse.settle()

    assert [(one.follower, one.state) for one in await attic.knows(Follow)] == [(cleo, "accepted")]


@pytest.mark.proves("P-317")
@pytest.mark.parametrize("kind", ["Accept", "Reject"])
async def test_an_answer_to_nothing_has_no_effect(
    fediverse: Fediverse, attic: Studio, social: Stranger, kind: str
) -> None:
    cleo = social.actor("cleo")
    never = {"id": f"{attic.uri}/follow", "type": "Follow", "actor": attic.uri, "object": cleo}

    answers = [await social.sends(attic, social.activity(kind, cleo, one)) for one in (never, never["id"])]
    await fediverse.settle()

    assert [one.status_code for one in answers] == [202, 202]
    assert await attic.knows(Follow) == []


@pytest.mark.proves("P-320", "P-106")
@pytest.mark.parametrize("kind", ["Announce", "Add"])
async def test_a_wrapped_forgery_is_a_reference(
    fediverse: Fediverse, attic: Studio, social: Stranger, evil: Stranger, kind: str
) -> None:
    cleo, mallory = social.actor("cleo"), evil.actor("mallory")
    await social.sends(attic, letter(attic, social, cleo))
    before = await key_of(attic.instance, f"{cleo}#main-key")
    profile = {**evil.documents["/mallory"], "id": cleo, "name": "not Cleo"}  # type: ignore[dict-item]
    post = {**social.note("note", cleo), "content": "<p>a lie</p>", "updated": "2026-03-02T10:00:00Z"}

    for about in (profile, post):
        inner = {"id": f"{cleo}/forged", "type": "Update", "actor": cleo, "object": about}
        await evil.sends(attic, evil.activity(kind, mallory, inner, target=f"{cleo}/collections/featured"))
        await evil.sends(attic, evil.activity(kind, mallory, about, target=f"{cleo}/collections/featured"))
    await fediverse.settle()

    assert [one.name for one in await attic.knows(Actor) if one.uri == cleo] == [""]
    assert (await key_of(attic.instance, f"{cleo}#main-key")).public == before.public
    assert [one.document["content"] for one in await attic.knows(Object)] == ["<p>note</p>"]


# --- Without a signature of their own ----------------------------------------------------------------------------


@pytest.mark.proves("P-086", "P-084")
async def test_a_proof_vouches_for_what_another_brings(
    fediverse: Fediverse, attic: Studio, social: Stranger, evil: Stranger
) -> None:
    cleo, mallory = social.actor("cleo"), evil.actor("mallory")

    await evil.sends(attic, social.proves(social.activity("Follow", cleo, attic.uri)), by=mallory)
    await fediverse.settle()

    assert [one.follower for one in await attic.knows(Follow)] == [cleo]


@pytest.mark.proves("P-086")
@pytest.mark.parametrize("is_actor", [True, False])
async def test_a_false_proof_harms_only_what_needs_it(
    fediverse: Fediverse, attic: Studio, social: Stranger, evil: Stranger, is_actor: bool
) -> None:
    cleo, mallory = social.actor("cleo"), evil.actor("mallory")
    false = social.proves(social.activity("Follow", cleo, attic.uri), key=3)

    if is_actor:
        await social.sends(attic, false)
    else:
        await evil.sends(attic, false, by=mallory)
    await fediverse.settle()

    assert [one.follower for one in await attic.knows(Follow)] == ([cleo] if is_actor else [])


@pytest.mark.proves("P-090", "P-091")
async def test_a_linked_data_signature_is_not_even_looked_at(
    fediverse: Fediverse, attic: Studio, social: Stranger, evil: Stranger
) -> None:
    cleo, mallory = social.actor("cleo"), evil.actor("mallory")
    signature = {"type": "RsaSignature2017", "creator": f"{cleo}#main-key", "signatureValue": "AAAA"}
    follow = {**social.activity("Follow", cleo, attic.uri), "signature": signature}

    hinted = await evil.sends(attic, follow, by=mallory)
    await fediverse.settle()
    nobody = await attic.knows(Follow)
    await social.sends(attic, follow)
    await fediverse.settle()

    assert hinted.status_code == 202
    assert nobody == []
    assert [one.follower for one in await attic.knows(Follow)] == [cleo]
    assert [one for one in social.received if "signature" in one or "signature" in one.get("object", {})] == []


@pytest.mark.proves("P-091")
@pytest.mark.parametrize("is_embedded", [True, False])
async def test_a_linked_data_signature_is_not_kept(
    fediverse: Fediverse, attic: Studio, social: Stranger, is_embedded: bool
) -> None:
    cleo = social.actor("cleo")
    signature = {"type": "RsaSignature2017", "signatureValue": "AAAA"}
    create = {**letter(attic, social, cleo, signature=signature), "signature": signature}

    await social.sends(attic, create if is_embedded else {**create, "object": create["object"]["id"]})
    await fediverse.settle()

    [post] = await attic.knows(Object)
    assert "signature" not in post.document


@pytest.mark.proves("P-103", "P-091")
async def test_a_guessed_id_does_not_keep_the_real_activity_out(
    fediverse: Fediverse, attic: Studio, social: Stranger, evil: Stranger
) -> None:
    cleo, mallory = social.actor("cleo"), evil.actor("mallory")
    follow = social.activity("Follow", cleo, attic.uri)

    passed_on = await evil.sends(attic, {**follow, "type": "View", "signature": {}}, by=mallory)
    await fediverse.settle()
    await social.sends(attic, follow)
    await fediverse.settle()

    assert passed_on.status_code == 202
    assert [one.follower for one in await attic.knows(Follow)] == [cleo]


@pytest.mark.proves("P-107", "P-092")
@pytest.mark.parametrize("kind", ["Follow", "Undo", "Accept", "Reject", "Delete", "Update", "Block"])
async def test_what_may_happen_twice_needs_no_id(attic: Studio, social: Stranger, kind: str) -> None:
    cleo = social.actor("cleo")
    sent = {"type": kind, "actor": cleo, "object": attic.uri}

    answers = [await social.sends(attic, sent), await social.sends(attic, sent)]
    different = await social.sends(attic, {**sent, "id": None, "summary": "once more"})

    assert [one.status_code for one in (*answers, different)] == [202] * 3
    assert len({one.uri for one in await attic.knows(Receipt)}) == len(await attic.knows(Receipt)) == 2


@pytest.mark.proves("P-107")
@pytest.mark.parametrize("kind", ["Create", "Like", "Announce", "Offer", "Invite", "Add", "Flag", "Move", "Wave"])
async def test_what_may_not_happen_twice_needs_an_id(attic: Studio, social: Stranger, kind: str) -> None:
    cleo = social.actor("cleo")

    answer = await social.sends(attic, {"type": kind, "actor": cleo, "object": attic.uri})

    assert answer.status_code == 400
    assert await attic.knows(Receipt) == []


@pytest.mark.proves("P-319", "P-100")
async def test_the_farewell_of_a_stranger_costs_nothing(attic: Studio, social: Stranger) -> None:
    gone = f"{social.home}/gone"

    answer = await social.sends(attic, social.activity("Delete", gone, gone))

    assert answer.status_code == 202
    assert (social.asked, await attic.knows(Receipt)) == ([], [])


@pytest.mark.proves("P-322")
@pytest.mark.parametrize("host", ["blocked.example", "sub.blocked.example", "blocked.example.", "blocked.example:8443"])
async def test_a_blocked_server_is_not_heard_in_any_voice(
    fediverse: Fediverse, attic: Studio, social: Stranger, host: str
) -> None:
    blocked = Stranger(fediverse, host, key=3)
    mallory, cleo = blocked.actor("mallory"), social.actor("cleo")
    await attic.does(lambda tx: blocks.block_domain(tx, "blocked.example"))
    social.documents["/moved"] = httpx.Response(302, headers={"location": f"{blocked.home}/lie"})
    lie = blocked.note("lie", mallory, to=[attic.uri])
    create = blocked.activity("Create", mallory, lie, to=[attic.uri])

    by_itself = await blocked.sends(attic, create)
    by_forwarder = await social.sends(attic, create, by=cleo)
    with_proof = await social.sends(attic, blocked.proves({**create, "id": f"{mallory}/2"}), by=cleo)
    wrapped = await social.sends(attic, social.activity("Create", cleo, f"{blocked.home}/lie", to=[attic.uri]))
    redirected = await social.sends(attic, social.activity("Create", cleo, f"{social.home}/moved", to=[attic.uri]))
    await fediverse.settle()

    assert [one.status_code for one in (by_itself, by_forwarder, with_proof)] == [403, 202, 202]
    assert [one.status_code for one in (wrapped, redirected)] == [202, 202]
    assert await known(attic) == []
    assert [one.uri for one in await attic.knows(Actor) if not one.local] == [cleo]


@pytest.mark.proves("P-322")
@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_a_blocked_key_is_known_by_either_signature(strict: Studio, social: Stranger, scheme: Any) -> None:
    answer = await knock(strict, social, key_id="https://blocked.example/cleo#main-key", scheme=scheme)

    assert answer.status_code == 403


@pytest.mark.proves("P-322")
async def test_whom_we_knew_before_the_block_is_not_heard_through_others(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    blocked = Stranger(fediverse, "blocked.example", key=3)
    mallory, cleo = blocked.actor("mallory"), social.actor("cleo")
    await blocked.sends(attic, blocked.activity("View", mallory, attic.uri))
    await attic.does(lambda tx: blocks.block_domain(tx, "blocked.example"))

    await social.sends(attic, blocked.proves(blocked.activity("Follow", mallory, attic.uri)), by=cleo)
    social.documents["/moved"] = httpx.Response(302, headers={"location": blocked.note("lie", mallory)["id"]})
    await social.sends(attic, social.activity("Create", cleo, f"{social.home}/moved", to=[attic.uri]))
    await fediverse.settle()

    assert await attic.knows(Follow) == []
    assert await known(attic) == []
    assert sorted(one.state for one in await attic.knows(Receipt)) == ["done", "refused"]


@pytest.mark.proves("P-322")
async def test_a_blocked_server_is_not_even_asked(fediverse: Fediverse, strict: Studio, social: Stranger) -> None:
    blocked = Stranger(fediverse, "blocked.example", key=3)
    note = blocked.note("lie", blocked.actor("mallory"))

    await social.sends(strict, social.activity("Create", f"{social.home}/cleo", note["id"]))
    await fediverse.settle()

    assert blocked.asked == []
    assert [one.state for one in await strict.knows(Receipt)] == ["refused"]


@pytest.mark.proves("P-105", "P-104")
@pytest.mark.parametrize("author", ["https://evil.example/mallory", None])
async def test_what_is_fetched_belongs_to_its_own_server(
    fediverse: Fediverse, attic: Studio, social: Stranger, evil: Stranger, author: str | None
) -> None:
    cleo, mallory = social.actor("cleo"), evil.actor("mallory")
    follow = {"id": f"{social.home}/note", "type": "Note", "content": "a lie", "attributedTo": author, "actor": None}
    social.documents["/note"] = follow
    await social.sends(attic, social.activity("Create", cleo, f"{social.home}/note", to=[attic.uri]))

    await fediverse.settle()

    [receipt] = await attic.knows(Receipt)
    assert receipt.state == "refused"
    assert receipt.error == f"{social.home}/note is not on the server of its author (FEP-fe34)"
    assert mallory not in {one.uri for one in await attic.knows(Actor)}


@pytest.mark.proves("P-102", "P-129")
@pytest.mark.parametrize(
    "kind", ["View", "Read", "Listen", "Dislike", "Arrive", "Travel", "Ignore", "Wave", "https://ns.example/Odd"]
)
async def test_what_means_nothing_here_is_acknowledged_and_forgotten(
    fediverse: Fediverse, attic: Studio, social: Stranger, kind: str
) -> None:
    cleo = social.actor("cleo")

    answer = await social.sends(attic, social.activity(kind, cleo, {"id": f"{social.home}/x", "type": "Note"}))
    await fediverse.settle()

    assert answer.status_code == 202
    assert [(one.state, one.body) for one in await attic.knows(Receipt)] == [("done", b"")]
    assert await known(attic) == []
