"""Endorsements as Open Badges: what the specification asks, what is signed, and that nothing of it can be changed."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from typing import Any

import base58
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from activitypub import badge, proof
from activitypub.document import Document, Json
from activitypub.endorsement import Endorsement
from activitypub.errors import ProtocolError
from tests.activitypub import open_badges
from tests.activitypub.proofs_by_hand import ADA, BO, KEY, KEY_ID, NOW, PUBLIC, SECRET, VECTORS

INNER: Json = VECTORS["ours"]["document"]
VALUE = badge.sign(INNER, SECRET, Document(INNER["proof"]).time("created") or NOW)
BADGE = badge.write(INNER, VALUE)
APART = ("@context", "proof", "credentialSchema", "signedEndorsement")


def test_the_published_endorsement_is_this_credential_for_ever() -> None:
    """Whoever changes it breaks the signature of every one that was given."""
    comment = "Typesetting (as client): Bo set our catalogue with care."
    assert {name: value for name, value in BADGE.items() if name not in APART} == {
        "id": "https://ada.example/notes/7#credential",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Endorsement: Typesetting",
        "issuer": {"id": ADA, "type": ["Profile"]},
        "validFrom": "2026-01-15T10:00:00Z",
        "credentialSubject": {"id": BO, "type": ["EndorsementSubject"], "endorsementComment": comment},
    }
    assert BADGE["signedEndorsement"] == INNER
    assert VALUE == "z3cQ841n4YhsFovKmofRyvAcErvsskRfFeTfMQbCMcEP4bgRPdZSnPGQzB8KtMHKFtnyqoyQY9wJHBHwEqs2hh6t"


def test_shows_coop_4_the_export_is_what_open_badges_3_asks_for() -> None:
    assert open_badges.breaches(BADGE) == []
    assert open_badges.breaches(badge.write({**INNER, "endTime": "2027-01-15T10:00:00Z"}, VALUE)) == []


@pytest.mark.parametrize("name", sorted(open_badges.CREDENTIAL.keys() & BADGE.keys()))
def test_the_specification_as_we_wrote_it_down_notices_what_is_wrong(name: str) -> None:
    missing = {one: value for one, value in BADGE.items() if one != name}

    assert (name in open_badges.breaches(missing)) is open_badges.CREDENTIAL[name][0]
    assert name in open_badges.breaches({**BADGE, name: 1})
    assert open_badges.breaches({**BADGE, "skill": "unmapped"}) == ["skill"]
    bare = [one for one in BADGE["@context"] if one != open_badges.EXTENSIONS]
    assert open_badges.breaches({**BADGE, "@context": bare}) == ["credentialSchema"]


def test_it_verifies_as_eddsa_jcs_2022_does_for_everybody() -> None:
    """W3C vc-di-eddsa, 3.3, with nothing of our own: the hash of the proof's configuration, then of the document."""
    config = {name: value for name, value in BADGE["proof"][0].items() if name != "proofValue"}
    document = {name: value for name, value in BADGE.items() if name != "proof"}
    hashed = [hashlib.sha256(rfc8785.dumps(one)).digest() for one in (config, document)]

    assert config["verificationMethod"] == KEY_ID
    assert config["@context"] == document["@context"]
    assert isinstance(PUBLIC, Ed25519PublicKey)
    PUBLIC.verify(base58.b58decode(VALUE[1:]), b"".join(hashed))


def test_everything_that_was_said_is_in_the_comment() -> None:
    said = "<p>One &amp; two</p><ul><li>three</li></ul><p>four<br>five</p>"
    more = {"skill": ["A", "B"], "capacity": "other", "content": said, "context": "https://bo.example/work"}
    inner = proof.sign({**INNER, **more}, KEY_ID, SECRET, NOW)

    comment = badge.write(inner, "z1")["credentialSubject"]["endorsementComment"]

    assert comment == "A, B: One & two\n\nthree\n\n\n\nfour\n\nfive\n\nhttps://bo.example/work"


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(len(value)):
            yield from _paths(value[name], (*path, name))
    else:
        yield path


@pytest.mark.parametrize("path", [*_paths(BADGE)], ids=lambda path: ".".join(map(str, path))[:60])
def test_no_word_of_it_can_be_changed(path: tuple[Any, ...]) -> None:
    badge.check(BADGE, KEY)
    changed = copy.deepcopy(BADGE)
    place: Any = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] += "1"

    with pytest.raises(ProtocolError):
        badge.check(changed, KEY)


@pytest.mark.parametrize("odd", [{}, {"signedEndorsement": {}}, {"signedEndorsement": INNER}, {**BADGE, "more": 1}])
def test_what_is_no_badge_of_ours_is_refused(odd: Json) -> None:
    with pytest.raises(ProtocolError):
        badge.check(odd, KEY)


def test_a_badge_says_what_the_endorsement_in_it_says() -> None:
    other = proof.sign({**INNER, "skill": ["Accounting"]}, KEY_ID, SECRET, NOW)

    with pytest.raises(ProtocolError, match="something else"):
        badge.check({**BADGE, "signedEndorsement": other}, KEY)
    assert Endorsement.read(Document(other)).skills == ("Accounting",)
