"""Endorsements: what is proven, what is refused, and what may be said of one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub import context, endorsement, html, proof
from activitypub.document import Document, Json
from activitypub.endorsement import Bundle, Endorsement, KeySeen, Snapshot, Verdict, check, content, verdict
from activitypub.errors import Forbidden, Malformed, ProtocolError, Unverified
from tests.activitypub.documents import hostile, values
from tests.activitypub.proofs_by_hand import ADA, BO, KEY_ID, SECRET, VECTORS, find

SIGNED: Json = VECTORS["ours"]["document"]
UNSIGNED = {name: value for name, value in SIGNED.items() if name != "proof"}
NOW = datetime(2026, 1, 15, 10, 1, tzinfo=UTC)
GIVEN = Endorsement.read(Document(SIGNED))


@pytest.mark.proves("P-240")
def test_the_published_endorsement_verifies_and_says_what_it_says() -> None:
    proven = proof.verify(SIGNED, find, NOW)

    assert proven.owner == GIVEN.author
    assert (
        Endorsement(
            id="https://ada.example/notes/7#endorsement",
            author=ADA,
            subject=BO,
            skills=("Typesetting",),
            capacity="client",
            text="<p>Bo set our catalogue with care.</p>",
            published=datetime(2026, 1, 15, 10, tzinfo=UTC),
        )
        == GIVEN
    )
    assert GIVEN.note == "https://ada.example/notes/7"


@pytest.mark.proves("P-240")
def test_we_write_the_published_endorsement_to_the_byte() -> None:
    signed = proof.sign(GIVEN.write(), KEY_ID, SECRET, datetime(2026, 1, 15, 10, 0, 1, tzinfo=UTC))

    assert GIVEN.write() == UNSIGNED
    assert signed == SIGNED


@pytest.mark.proves("P-240")
def test_what_is_optional_is_written_and_read() -> None:
    whole = replace(GIVEN, work="https://ada.example/projects/01P", until=NOW.replace(second=0))

    assert Endorsement.read(Document(whole.write())) == whole


@pytest.mark.proves("P-334", "P-321")
@pytest.mark.parametrize(
    "change",
    [
        {"id": "https://ada.example/notes/8#endorsement"},
        {"attributedTo": BO},
        {"object": "https://cy.example/actors/cy"},
        {"skill": ["Typesetting", "Accounting"]},
        {"skill": ["Typesettinh"]},
        {"capacity": "employer"},
        {"content": "<p>Bo set our catalogue without care.</p>"},
        {"published": "2026-01-15T10:00:01Z"},
        {"endTime": "2027-01-15T10:00:00Z"},
        {"context": "https://ada.example/projects/01P"},
        {"proof": {**SIGNED["proof"], "created": "2026-01-15T10:00:02Z"}},
        {"proof": {**SIGNED["proof"], "proofPurpose": "authentication"}},
        {"proof": {**SIGNED["proof"], "verificationMethod": f"{BO}#ed25519-key"}},
        {"proof": {**SIGNED["proof"], "proofValue": SIGNED["proof"]["proofValue"][:-1] + "1"}},
        {"proof": None},
    ],
)
def test_an_endorsement_of_which_one_field_was_changed_is_not_proven(change: Json) -> None:
    with pytest.raises(Unverified):
        proof.verify(SIGNED | change, find, NOW)


@pytest.mark.proves("P-240", "P-334")
@pytest.mark.parametrize("name", sorted(UNSIGNED))
def test_an_endorsement_lacks_nothing(name: str) -> None:
    with pytest.raises(Malformed):
        Endorsement.read(Document({key: value for key, value in UNSIGNED.items() if key != name}))


@pytest.mark.proves("P-240")
@pytest.mark.parametrize("name", ["summary", "box:skill", "signature", "tag", "contentMap", "actor", "@type", ""])
def test_nothing_rides_along_in_an_endorsement(name: str) -> None:
    with pytest.raises(Malformed):
        Endorsement.read(Document({**SIGNED, name: "more"}))


@pytest.mark.proves("P-240")
@pytest.mark.parametrize(
    "change",
    [
        {"@context": context.ENDORSEMENT[:2]},
        {"@context": [*context.ENDORSEMENT, {"capacity": "https://evil.example/#skill"}]},
        {"@context": context.ENDORSEMENT[0]},
        {"type": "Note"},
        {"type": ["Endorsement"]},
        {"id": "https://ada.example/notes/7"},
        {"id": "notes/7#endorsement"},
        {"attributedTo": [ADA]},
        {"attributedTo": {"id": ADA}},
        {"object": None},
        {"skill": []},
        {"skill": "Typesetting"},
        {"skill": ["a", "b", "c", "d", "e", "f"]},
        {"skill": ["Typesetting", 1]},
        {"skill": [""]},
        {"skill": ["Type\nsetting"]},
        {"skill": ["\u202egnittesepyT"]},
        {"skill": ["x" * 101]},
        {"capacity": "friend"},
        {"capacity": ["client"]},
        {"content": "x" * 2001},
        {"content": {"en": "x"}},
        {"published": "yesterday"},
        {"published": 1768471200},
        {"published": None},
        {"endTime": "never"},
        {"endTime": None},
        {"context": "javascript:alert(1)"},
        {"context": None},
        {"proof": {"weight": 0.5}},
        {"proof": [[1.0]]},
    ],
)
def test_an_endorsement_of_any_other_shape_is_none(change: Json) -> None:
    with pytest.raises(Malformed):
        Endorsement.read(Document({**SIGNED, **change}))


@pytest.mark.proves("P-240")
def test_two_thousand_characters_and_five_skills_are_allowed() -> None:
    most = Endorsement.read(Document({**UNSIGNED, "content": "x" * 2000, "skill": ["a", "b", "c", "d", "e"]}))

    assert (len(most.text), len(most.skills)) == (2000, 5)


def test_what_nobody_could_read_is_not_written() -> None:
    with pytest.raises(Malformed):
        replace(GIVEN, skills=()).write()


def test_the_words_of_an_endorsement_are_made_harmless() -> None:
    read = Endorsement.read(Document({**UNSIGNED, "content": "<p onclick='x()'>Fine<script>alert(1)</script></p>"}))

    assert read.text == "<p>Fine</p>"


@pytest.mark.proves("P-241")
def test_a_good_endorsement_passes_its_check() -> None:
    check(GIVEN, ADA, NOW, key_first_seen=NOW)


@pytest.mark.proves("P-241", "P-334")
@pytest.mark.parametrize(
    ("given_", "owner", "now", "first_seen", "error"),
    [
        (GIVEN, BO, NOW, None, Unverified),
        (replace(GIVEN, subject=ADA), ADA, NOW, None, Forbidden),
        (replace(GIVEN, id="https://bo.example/notes/7#endorsement"), ADA, NOW, None, Forbidden),
        (GIVEN, ADA, GIVEN.published - timedelta(minutes=5, seconds=1), None, Forbidden),
        (GIVEN, ADA, NOW, GIVEN.published + timedelta(hours=24, seconds=1), Forbidden),
    ],
)
def test_a_breach_of_the_rules_is_refused(
    given_: Endorsement, owner: str, now: datetime, first_seen: datetime | None, error: type[ProtocolError]
) -> None:
    with pytest.raises(error):
        check(given_, owner, now, first_seen)


@pytest.mark.proves("P-241")
def test_the_window_of_published_has_these_ends() -> None:
    check(GIVEN, ADA, GIVEN.published - timedelta(minutes=5))
    check(GIVEN, ADA, NOW, key_first_seen=GIVEN.published + timedelta(hours=24))


@pytest.mark.proves("P-242", "P-241", "P-245", "P-335")
@pytest.mark.parametrize(
    ("proof_ok", "revoked", "key_seen", "expected"),
    [
        (True, False, "live", "valid"),
        (True, False, "silent", "valid, offline"),
        (True, False, "memory", "valid, offline"),
        (True, False, "bundle", "valid by copy"),
        (False, False, "live", "invalid"),
        (False, False, "memory", "invalid"),
        (False, False, "bundle", "invalid"),
        (False, False, None, "unknown"),
        (True, True, "live", "revoked"),
        (True, True, "memory", "revoked"),
        (False, True, None, "revoked"),
    ],
)
def test_a_verdict_says_no_more_than_is_known(
    proof_ok: bool, revoked: bool, key_seen: KeySeen | None, expected: Verdict
) -> None:
    judged = verdict(GIVEN, proof_ok=proof_ok, revoked=NOW if revoked else None, key_seen=key_seen, now=NOW)

    assert judged.verdict == expected
    assert judged.reason.endswith(".")


@pytest.mark.proves("P-242")
@pytest.mark.parametrize(("after", "expected"), [(timedelta(seconds=-1), "valid"), (timedelta(), "expired")])
def test_what_was_given_for_a_time_expires(after: timedelta, expected: Verdict) -> None:
    brief = replace(GIVEN, until=NOW)

    assert verdict(brief, proof_ok=True, revoked=None, key_seen="live", now=NOW + after).verdict == expected


@pytest.mark.proves("P-241", "P-334")
def test_who_endorses_themselves_is_told_that_it_is_invalid() -> None:
    judged = verdict(replace(GIVEN, subject=ADA), proof_ok=True, revoked=None, key_seen="live", now=NOW)

    assert judged == ("invalid", "Refused: nobody endorses themselves.")


@pytest.mark.proves("P-200", "P-212")
def test_the_note_around_it_reads_like_a_post() -> None:
    written = content(GIVEN, "bo@bo.example", "https://bo.example/@bo")

    assert written == (
        '<p>I endorse <span class="h-card"><a href="https://bo.example/@bo" class="u-url mention">@<span>bo</span></a>'
        "</span> for <strong>Typesetting</strong> (as a client).</p><p>Bo set our catalogue with care.</p>"
        '<p><a href="https://ada.example/notes/7">ada.example/notes/7</a></p>'
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"capacity": "other"}, "for Typesetting."),
        ({"capacity": "employee"}, "(as an employee)."),
        ({"skills": ("C++ & <b>", "Law")}, "for C++ & <b> and Law (as"),
        ({"work": "https://ada.example/projects/01P"}, "ada.example/projects/01P\nada.example/notes/7"),
    ],
)
def test_the_words_fit_what_is_given(change: dict[str, Any], words: str) -> None:
    assert words in html.plain(content(replace(GIVEN, **change), "bo@bo.example", "https://bo.example/@bo"))


@pytest.mark.proves("P-243")
def test_a_bundle_keeps_the_endorsement_to_the_byte_and_what_verifies_it() -> None:
    ada = Document({"id": ADA, "type": "Person", "assertionMethod": []})
    bundle = Bundle(Document(SIGNED), (Snapshot(ada, NOW), Snapshot(ada, NOW + timedelta(days=9))), NOW)

    written = json.dumps(bundle.write()).encode()
    read = Bundle.parse(written)

    assert json.loads(written).keys() == {"endorsement", "actorSnapshots", "receivedAt"}
    assert read.endorsement.json == SIGNED
    assert [(one.actor.json, one.seen) for one in read.snapshots] == [(ada.json, one.seen) for one in bundle.snapshots]
    assert read.received == NOW


@pytest.mark.parametrize(
    "wrapped",
    [
        SIGNED,
        {"endorsement": SIGNED},
        {"type": "Note", "endorsement": SIGNED},
        {"type": "Create", "object": {"type": "Note", "endorsement": SIGNED}},
    ],
)
def test_a_file_may_have_the_endorsement_bare_or_in_what_carried_it(wrapped: Json) -> None:
    bundle = Bundle.parse(json.dumps(wrapped).encode())

    assert bundle.endorsement.json == SIGNED
    assert (bundle.snapshots, bundle.received) == ((), None)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"endorsement":"https://ada.example/notes/7#endorsement"}'])
def test_a_file_without_an_endorsement_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        Bundle.parse(body)


def test_snapshots_that_cannot_be_read_are_left_out_and_there_are_not_many() -> None:
    good = {"actor": {"id": ADA}, "seenAt": "2026-01-15T10:00:00Z"}
    odd: list[Any] = [1, {"actor": ADA, "seenAt": "2026-01-15T10:00:00Z"}, {"actor": {"id": ADA}}]

    some_bundle = Bundle.parse(json.dumps({"endorsement": SIGNED, "actorSnapshots": [*odd, good]}).encode())
    full_bundle = Bundle.parse(json.dumps({"endorsement": SIGNED, "actorSnapshots": [good] * 99}).encode())

    assert len(some_bundle.snapshots) == 1
    assert len(full_bundle.snapshots) == 8


@pytest.mark.proves("P-240", "P-334")
@given(
    hostile("id", "type", "attributedTo", "object", "skill", "capacity", "content", "published", "endTime", "proof"),
    some.dictionaries(some.sampled_from(sorted(SIGNED)), values, min_size=1, max_size=2),
)
def test_any_json_is_an_endorsement_or_malformed(other: Json, change: Json) -> None:
    for document in (Document(other), Document(SIGNED | change), Document({**UNSIGNED, **other})):
        try:
            read = Endorsement.read(document)
        except ProtocolError:
            continue
        assert read.note == str(document.json["id"]).removesuffix(endorsement.FRAGMENT)
        assert 1 <= len(read.skills) <= 5
