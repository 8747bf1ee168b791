"""A second implementation, which is not ours, agrees on the wire: Fedify, in both dialects of HTTP signatures."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.boxroom.house import House
from tests.interop.fedify import Peer

pytestmark = [pytest.mark.xdist_group("interop"), pytest.mark.timeout(300)]

TERMS = ("--amount", "450.50", "--currency", "EUR", "--until", "2099-12-24", "--remote")


@cache
def me(ada: House) -> str:
    uri: str = ada.shows("whoami")["uri"]
    return uri


def offers(ada: House, title: str, *terms: str) -> str:
    return ada.does(
        "offer", "create", "--title", title, "--text", "Warm and round", "--need", "--skill", "Logo", *terms
    )


def endorses(ada: House, peer: Peer) -> str:
    words = ("--skill", "Lettering", "--text", "A steady hand", "--capacity", "client")
    return ada.does("endorse", peer.address("fay"), *words)


def assert_signed(got: Any, ada: House, peer: Peer) -> None:
    """Fedify verified the signature of the request itself, apart from any proof in its body."""
    assert (got["dialect"], got["signer"], got["refused"]) == (peer.dialect, me(ada), None)


@pytest.mark.proves("P-014", "P-017", "P-120")
def test_shows_core_3_they_follow_each_other_by_their_addresses(ada: House, peer: Peer) -> None:
    """Each looked the other up by WebFinger, and took the other's Accept for an answer to its own Follow."""
    assert peer.does("following", name="fay") == peer.does("followers", name="fay") == [me(ada)]
    assert_signed(peer.receives("Follow", peer.uri("fay")), ada, peer)
    for ours in ("followers", "following"):
        [fay] = [one for one in ada.shows(ours) if one["uri"] == peer.uri("fay")]
        assert (fay["address"], fay["state"]) == (peer.address("fay"), "accepted")


@pytest.mark.proves("P-014", "P-019", "P-020", "P-206")
def test_shows_core_3_it_finds_who_lives_here_and_what_they_said(ada: House, peer: Peer) -> None:
    post, offer = ada.does("post", "To be *found*"), offers(ada, "A sign")

    by_address, by_id = peer.does("lookup", what=f"@{ada.address}"), peer.does("lookup", what=me(ada))
    found = {one: peer.does("lookup", what=one) for one in (post, offer)}

    assert by_address == by_id
    assert (by_id["type"], by_id["id"], by_id["handle"]) == ("Person", me(ada), "ada")
    assert {(one["type"], one["id"], one["author"]) for one in found.values()} == {
        ("Note", post, me(ada)),
        ("Note", offer, me(ada)),
    }
    assert found[post]["content"] == "<p>To be <em>found</em></p>"


@pytest.mark.proves("P-050", "P-060", "P-066", "P-206")
def test_shows_core_3_it_receives_a_post_with_a_valid_signature(ada: House, peer: Peer) -> None:
    post = ada.does("post", "Tea is *ready*")

    assert_signed(peer.receives("Create", post), ada, peer)
    read = peer.understands("Create", post)

    assert read["actor"] == read["object"]["author"] == me(ada)
    assert (read["object"]["type"], read["object"]["content"]) == ("Note", "<p>Tea is <em>ready</em></p>")
    ada.waits_for("outbox", until=post)


@pytest.mark.proves("P-200", "P-206")
def test_shows_core_3_it_receives_an_offer_as_a_post_that_people_can_read(ada: House, peer: Peer) -> None:
    offer = offers(ada, "A logo for a bakery", *TERMS)

    assert_signed(peer.receives("Create", offer), ada, peer)
    note = peer.understands("Create", offer)["object"]

    assert (note["type"], note["id"], note["tags"]) == ("Note", offer, ["Hashtag #logo"])
    for part in (
        "A logo for a bakery",
        "Warm and round",
        "450.50 EUR",
        "remote",
        "24 December 2099",
        f'href="{offer}"',
    ):
        assert part in note["content"]


@pytest.mark.proves("P-200", "P-206")
def test_shows_core_3_it_receives_an_endorsement_as_a_post_that_people_can_read(ada: House, peer: Peer) -> None:
    given = endorses(ada, peer)

    assert_signed(peer.receives("Create", given), ada, peer)
    note = peer.understands("Create", given)["object"]

    assert (note["type"], note["tags"]) == ("Note", [f"Mention @{peer.address('fay')}"])
    for part in ("I endorse", "Lettering", "A steady hand", "client", f'href="{peer.uri("fay")}"'):
        assert part in note["content"]


@pytest.mark.proves("P-020", "P-050", "P-080", "P-081", "P-083")
def test_shows_core_3_it_verifies_the_proofs_of_what_it_receives(ada: House, peer: Peer) -> None:
    """With Fedify's own functions, on the JSON as it came; the endorsement's proof counts without what is around it."""
    for said in (ada.does("post", "Signed"), offers(ada, "A proof", *TERMS), endorses(ada, peer)):
        activity = peer.receives("Create", said)["activity"]
        forged = {**activity, "object": {**activity["object"], "content": "Forged"}}

        assert peer.does("verify", document=activity)["id"] == activity["id"]
        assert peer.does("prover", document=activity) == me(ada)
        assert peer.does("verify", document=forged) is None
    inner = activity["object"]["endorsement"]
    assert peer.does("prover", document=inner) == me(ada)
    assert peer.does("prover", document={**inner, "skill": ["Juggling"]}) is None


@pytest.mark.proves("P-070", "P-071")
def test_shows_core_3_an_inbox_is_knocked_at_until_its_dialect_is_known(ada: House, peer: Peer) -> None:
    """One server takes nothing but RFC 9421: it refused one delivery, and got all others as it wants them."""
    posts = [ada.does("post", f"Knock {number}") for number in range(3)]
    for post in posts:
        assert_signed(peer.receives("Create", post), ada, peer)

    got = peer.does("received")

    other = [one for one in got if one["dialect"] != peer.dialect]
    assert [(one["dialect"], one["status"]) for one in other] == (
        [("cavage", 401)] if peer.dialect == "rfc9421" else []
    )
    assert all(one["activity"] == got[1]["activity"] for one in other)
    assert {one["status"] for one in got if one not in other} == {202}


@pytest.mark.proves("P-053", "P-061", "P-062")
def test_shows_core_3_its_mail_is_taken_in_the_dialect_that_it_tries_first(ada: House, peer: Peer) -> None:
    said = peer.does("say", name="fay", content="<p>Hello from far away</p>", to=me(ada))

    [shown] = [one for one in ada.waits_for("feed", until=said) if one["uri"] == said]
    attempts = peer.sends("Create", said)

    assert (shown["text"], shown["address"]) == ("Hello from far away", peer.address("fay"))
    assert [(one["dialect"], one["status"]) for one in attempts] == [(peer.dialect, 202)]


def test_shows_core_3_its_reply_to_a_post_is_shown_under_it(ada: House, peer: Peer) -> None:
    post = ada.does("post", "Who has a ladder?")
    peer.receives("Create", post)

    reply = peer.does("say", name="fay", content="<p>I have</p>", to=me(ada), replyTo=post)

    [shown] = [one for one in ada.waits_for("feed", until=reply) if one["uri"] == reply]
    assert (shown["reply_to"], shown["text"], shown["author"]) == (post, "I have", peer.uri("fay"))
    told = ada.waits_for("notifications", until=reply)
    assert [(one["kind"], one["address"]) for one in told if one["about"] == reply] == [("reply", peer.address("fay"))]


@pytest.mark.proves("P-228")
def test_shows_core_3_its_reply_to_an_offer_is_a_response_that_can_be_accepted(ada: House, peer: Peer) -> None:
    offer = offers(ada, "A shop window")
    peer.receives("Create", offer)

    reply = peer.does("say", name="fay", content="<p>I would love to</p>", to=me(ada), replyTo=offer)

    [response] = ada.waits_for("offer", "show", offer, until=reply)["responses"]
    assert (response["by"], response["text"], response["state"]) == (peer.uri("fay"), "I would love to", "open")

    ada.does("offer", "accept", reply)
    [answer] = [one for one in peer.waits_for("understood", until="is accepted") if reply in str(one)]
    assert (answer["type"], answer["object"]["replyTo"]) == ("Create", reply)


@pytest.mark.proves("P-205", "P-207", "P-225", "P-226")
def test_shows_core_3_it_agrees_with_us_on_what_was_agreed(ada: House, peer: Peer) -> None:
    """Fedify has classes of its own for FEP-0837: it offers an agreement with them, and reads our Accept with them."""
    offer = offers(ada, "A mural")
    peer.receives("Create", offer)
    wanted = {"satisfies": f"{offer}#primary", "unit": "one", "content": "<p>On our terms</p>"}

    response = peer.does("respond", name="fay", to=me(ada), **wanted)
    [seen] = ada.waits_for("offer", "show", offer, until=response)["responses"]
    ada.does("offer", "accept", response)

    assert (seen["by"], seen["text"]) == (peer.uri("fay"), "On our terms")
    accepted = peer.understands("Accept", response)
    assert (accepted["actor"], accepted["result"]["type"]) == (me(ada), "Agreement")
    agreed = accepted["result"]
    assert (agreed["author"], agreed["satisfies"], agreed["quantity"]) == (me(ada), f"{offer}#primary", "1")
    assert_signed(peer.receives("Accept", response), ada, peer)


@pytest.mark.proves("P-035")
def test_shows_core_3_a_post_for_followers_is_served_to_a_follower_who_signs(ada: House, peer: Peer) -> None:
    post = ada.does("post", "Between us", "--visibility", "followers")
    assert_signed(peer.receives("Create", post), ada, peer)

    by_nobody, by_follower = peer.does("lookup", what=post), peer.does("lookup", what=post, name="fay")

    assert (by_nobody, by_follower["content"]) == (None, "<p>Between us</p>")
    asked = [(one["dialect"], one["status"]) for one in peer.does("sent") if one["url"] == post]
    assert asked == [(None, 404), (peer.dialect, 200)]


@pytest.mark.proves("P-230")
def test_shows_core_3_it_understands_that_a_post_is_edited_and_deleted(ada: House, peer: Peer) -> None:
    post = ada.does("post", "First")
    peer.receives("Create", post)

    ada.does("edit", post, "Second")
    assert_signed(peer.receives("Update", post), ada, peer)
    ada.does("delete", post)
    assert_signed(peer.receives("Delete", post), ada, peer)

    assert peer.understands("Update", post)["object"]["content"] == "<p>Second</p>"
    assert peer.understands("Delete", post)["object"]["type"] == "Tombstone"


def test_shows_core_3_what_it_edits_and_deletes_changes_here(ada: House, peer: Peer) -> None:
    said = peer.does("say", name="fay", content="<p>Red</p>", to=me(ada))
    ada.waits_for("feed", until=said)

    peer.does("edit", name="fay", id=said, content="<p>A darker red</p>", to=me(ada))
    [edited] = [one for one in ada.waits_for("feed", until="A darker red") if one["uri"] == said]
    peer.does("remove", name="fay", id=said, to=me(ada))

    assert edited["text"] == "A darker red"
    ada.waits_for_the_end_of("feed", of=said)


@pytest.mark.proves("P-120", "P-121")
def test_shows_core_3_whoever_unfollows_is_no_follower_any_more_on_either_side(ada: House, peer: Peer) -> None:
    follow = peer.does("follow", name="gus", whom=me(ada))
    ada.waits_for("followers", until=peer.uri("gus"))
    ada.does("follow", peer.address("gus"))
    peer.waits_for("followers", until=me(ada), name="gus")

    peer.does("unfollow", name="gus", whom=me(ada), follow=follow)
    ada.does("unfollow", peer.address("gus"))

    ada.waits_for_the_end_of("followers", of=peer.uri("gus"))
    ada.waits_for_the_end_of("following", of=peer.uri("gus"))
    [undone] = [one for one in peer.waits_for("understood", until='"Undo"') if one["type"] == "Undo"]
    assert (undone["actor"], undone["object"]["type"]) == (me(ada), "Follow")
    assert peer.does("followers", name="gus") == []
