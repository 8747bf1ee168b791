"""Whatever JSON a peer sends, soundly signed, is answered, and worked through without a crash.

More of it: ``BOXROOM_FUZZ_EXAMPLES=10000 pytest tests/federation/test_fuzz.py``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, MutableMapping
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from structlog.testing import capture_logs

from activitypub.document import Json
from coop import posts
from coop.posts import Draft
from federation import registry
from federation.tables import Receipt
from tests.federation.stranger import AS2, PUBLIC, Stranger
from tests.fediverse import Fediverse, Studio

EXAMPLES = int(os.environ.get("BOXROOM_FUZZ_EXAMPLES", "150"))

HOME, ATTIC = "https://social.example", "https://attic.example"
CLEO, ADA, POST = f"{HOME}/cleo", f"{ATTIC}/ada", f"{ATTIC}/post"  # the last two stand for what is really there
NOTE: Json = {
    "id": f"{HOME}/note",
    "type": "Note",
    "attributedTo": CLEO,
    "to": [PUBLIC],
    "cc": [f"{ADA}/followers", ADA],
    "content": "<p>A <b>ladder</b></p>",
    "contentMap": {"en": "<p>A ladder</p>"},
    "summary": "tools",
    "sensitive": True,
    "published": "2026-03-01T12:00:00Z",
    "updated": "2026-03-01T13:00:00Z",
    "inReplyTo": POST,
    "context": POST,
    "url": [{"type": "Link", "mediaType": "text/html", "href": f"{HOME}/@cleo/1"}],
    "tag": [{"type": "Mention", "href": ADA, "name": "@ada"}, {"type": "Hashtag", "name": "#tools", "href": HOME}],
    "attachment": [{"type": "Image", "url": f"{HOME}/a.png", "mediaType": "image/png", "width": 1, "blurhash": "LKO2"}],
    "interactionPolicy": {"canQuote": {"automaticApproval": [PUBLIC]}},
}
QUESTION = {**NOTE, "type": "Question", "oneOf": [{"type": "Note", "name": "yes", "replies": {"totalItems": 1}}]}
QUESTION |= {"endTime": "2026-04-01T12:00:00Z", "votersCount": 1}
MEASURE = {"hasUnit": "one", "hasNumericalValue": "1"}
PROPOSAL: Json = {
    **NOTE,
    "id": f"{HOME}/proposal",
    "type": "Proposal",
    "purpose": "offer",
    "name": "A ladder",
    "publishes": {"type": "Intent", "action": "transfer", "resourceQuantity": MEASURE},
    "reciprocal": {"type": "Intent", "action": "transfer", "resourceQuantity": {**MEASURE, "hasUnit": "EUR"}},
    "unitBased": False,
}
COMMITMENT = {"type": "Commitment", "satisfies": f"{POST}#primary", "resourceQuantity": MEASURE}
AGREEMENT = {"type": "Agreement", "attributedTo": CLEO, "stipulates": COMMITMENT, "stipulatesReciprocal": COMMITMENT}
ENDORSEMENT = {"type": "Endorsement", "object": ADA, "skill": ["ladders"], "capacity": "client", "content": "good"}
STATEMENT: Json = {"context": f"{HOME}/project", "after": [], "to": [ADA], "published": "2026-03-01T12:00:00Z"}
ACTOR = {"id": CLEO, "type": "Person", "preferredUsername": "cleo", "inbox": f"{CLEO}/inbox", "name": "Cleo"}
FOLLOW: Json = {"id": f"{HOME}/follow", "type": "Follow", "actor": CLEO, "object": ADA}
LIKE: Json = {"id": f"{HOME}/like", "type": "Like", "actor": CLEO, "object": POST, "content": "\u2764"}

SHAPES: list[Json] = [
    *({"type": "Create", "object": one} for one in (NOTE, QUESTION, PROPOSAL, {**NOTE, "attachment": ENDORSEMENT})),
    *({"type": "Update", "object": one} for one in (NOTE, QUESTION, PROPOSAL, ACTOR)),
    *({"type": "Delete", "object": one} for one in (f"{HOME}/note", {"id": f"{HOME}/note", "type": "Tombstone"})),
    *({"type": kind, "object": FOLLOW} for kind in ("Undo", "Accept", "Reject")),
    *(
        {"type": kind, "object": {**LIKE, "type": "Offer", "object": AGREEMENT}}
        for kind in ("Undo", "Accept", "Reject")
    ),
    *({"type": "Undo", "object": {**LIKE, "type": kind}} for kind in ("Like", "Announce", "Block", "EmojiReact")),
    *({"type": kind, "object": POST, "content": "\u2764"} for kind in ("Like", "EmojiReact", "Announce", "Undo")),
    {"type": "Announce", "object": {"type": "Create", "id": "https://other.example/1", "actor": CLEO, "object": NOTE}},
    *({"type": kind, "object": ADA} for kind in ("Follow", "Block", "Flag", "View")),
    {"type": "Move", "object": CLEO, "target": f"{HOME}/bella"},
    {"type": "Arrive", "object": CLEO},
    *({"type": kind, "object": f"{HOME}/note", "target": f"{CLEO}/featured"} for kind in ("Add", "Remove")),
    {"type": "Offer", "object": AGREEMENT, "to": [ADA]},
    {"type": "Invite", "object": ADA, "target": f"{HOME}/project", "role": "member", **STATEMENT},
    *(
        {"type": kind, "object": f"{HOME}/project", **STATEMENT}
        for kind in ("Create", "Join", "Leave", "Add", "Accept")
    ),
    {"type": "Add", "object": {"type": "Join", "id": f"{HOME}/join", "actor": CLEO, **STATEMENT}, "target": CLEO},
    {
        "type": "Grant",
        "object": "write",
        "context": CLEO,
        "target": ADA,
        "fulfills": f"{HOME}/invite",
        "allows": "invoke",
    },
    {"type": "Revoke", "object": [f"{CLEO}/grants/1", f"{CLEO}/grants/2"]},
    {"type": "QuoteRequest", "object": POST, "instrument": NOTE},
]

leaves = some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False)
odd_strings = some.sampled_from([
    "", " ", "0", "\x00", "\u202e", "Note", "Follow", "as:Public", PUBLIC, "@ada@attic.example", "P1D", "true",
    "https://", "https://[::1", "https://social.example:99999/x", "http://social.example/x", "acct:cleo", "bear:?u=x",
    "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "x" * 3_000, "<p>" * 500,
    CLEO, ADA, POST, f"{HOME}/note", f"{HOME}/absent", f"{ADA}/followers", f"{ATTIC}/absent", "https://other.example/1",
])  # fmt: skip
words = odd_strings | some.text(some.characters(exclude_categories=["Cs"]), max_size=20)
names = some.sampled_from(
    sorted({name for shape in (NOTE, PROPOSAL, LIKE, ACTOR, AGREEMENT, STATEMENT) for name in shape})
)
odd = some.recursive(
    leaves | words,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(names | words, inner, max_size=4),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to everything in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, one in inner for place in places(one, (*path, name)))]


@some.composite
def activities(draw: some.DrawFn) -> Json:
    """Something that people really send, with up to three of its values replaced by odd ones."""
    found: Json = deepcopy(draw(some.sampled_from(SHAPES)))
    found = {"@context": [AS2], "id": f"{CLEO}/did/{draw(some.integers(0, 10**9))}", "actor": CLEO, **found}
    for _ in range(draw(some.integers(0, 3))):
        *way, last = draw(some.sampled_from(places(found)[1:]))
        inside: Any = found
        for step in way:
            inside = inside[step]
        inside[last] = draw(odd)
        if draw(some.integers(0, 9)) == 0:
            inside[last] = [inside[last], inside[last]]
    if draw(some.booleans()):
        found[draw(names)] = draw(odd)
    return found


class World:
    """A studio, and a stranger who never stops sending."""

    def __init__(self, attic: Studio, social: Stranger, post: str, logs: list[MutableMapping[str, Any]]) -> None:
        self.attic = attic
        self.logs = logs
        self.social = social
        self.names = {ADA.encode(): attic.uri.encode(), POST.encode(): post.encode()}
        self.inboxes = [f"{attic.home}/inbox", f"{attic.uri}/inbox", f"{attic.home}/actor/inbox"]

    async def sends(self, body: bytes, inbox: int, with_proof: bool = False) -> int:
        """The status that answers `body`; whatever came of it must not be a crash."""
        for name, real in self.names.items():
            body = body.replace(name, real)
        if with_proof:
            body = self.proven(body)
        answer = await self.social.sends(self.inboxes[inbox], body, by=CLEO)
        await self.attic.fediverse.settle()
        assert [one for one in self.logs if one["log_level"] in ("error", "critical")] == [], body
        return answer.status_code

    def proven(self, body: bytes) -> bytes:
        json = msgspec.json.decode(body)
        try:
            return msgspec.json.encode(self.social.proves(json))
        except Exception:  # noqa: BLE001 - it has no canonical form, so nobody can prove it
            return body


@pytest.fixture
async def world(fediverse: Fediverse) -> AsyncIterator[World]:
    attic, social = await fediverse.studio("attic"), Stranger(fediverse)
    social.actor("cleo", featured=f"{CLEO}/featured")
    social.note("note", CLEO)
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Who has a ladder?")).uri)
    with capture_logs() as logs:
        yield World(attic, social, post, logs)


fuzzed = settings(
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


@pytest.mark.proves("P-100", "P-312", "P-110")
@fuzzed
@given(sent=activities(), inbox=some.integers(0, 2), with_proof=some.booleans())
async def test_no_activity_crashes_whoever_receives_it(world: World, sent: Json, inbox: int, with_proof: bool) -> None:
    assert await world.sends(msgspec.json.encode(sent), inbox, with_proof) in (202, 400, 401, 403)


@pytest.mark.proves("P-100", "P-312")
@fuzzed
@given(body=some.binary(max_size=200) | odd.map(msgspec.json.encode), inbox=some.integers(0, 2))
async def test_no_body_crashes_whoever_receives_it(world: World, body: bytes, inbox: int) -> None:
    assert await world.sends(body, inbox) in (202, 400, 403)


@pytest.mark.proves("P-303")
@fuzzed
@given(sent=activities(), inbox=some.integers(0, 2))
async def test_nothing_unsigned_is_ever_worked_on(world: World, sent: Json, inbox: int) -> None:
    before = len(await world.attic.knows(Receipt))
    request = world.social.signed(world.inboxes[inbox], sent, f"{CLEO}#main-key", signature=None)

    answer = await world.social.brings(request)

    assert answer.status_code in (202, 400, 401)
    assert len(await world.attic.knows(Receipt)) == before


async def test_what_is_too_long_to_be_answered_is_refused(world: World) -> None:
    follow = {**FOLLOW, "id": f"{CLEO}/long", "summary": "x" * 100_000}

    assert await world.sends(msgspec.json.encode(follow), 0) == 202
    assert [one.state for one in await world.attic.knows(Receipt)] == ["refused"]


def test_every_kind_of_activity_that_is_received_here_is_among_them() -> None:
    sent = {shape["type"] for shape in SHAPES}

    assert {kind for kind, _ in registry.handled()} <= sent


async def test_every_shape_is_taken_as_it_is(world: World) -> None:
    for number, shape in enumerate(SHAPES):
        body = msgspec.json.encode({"@context": [AS2], "id": f"{CLEO}/did/{number}", "actor": CLEO, **shape})
        assert await world.sends(body, 0, with_proof=True) == 202
