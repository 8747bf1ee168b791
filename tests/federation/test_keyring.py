"""Whose key signed: what is believed about keys, how often anybody is asked for them, and what is remembered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from activitypub import keys
from activitypub.document import Document, Json
from activitypub.errors import Unverified
from activitypub.origin import site
from federation import actors, keyring
from federation.allowance import OF_ADDRESS
from federation.instance import ASKED_PER_HOUR, Absence
from federation.keyring import NO_ANSWER
from federation.store import Store
from federation.tables import Actor, Key, Receipt
from federation.upkeep import Upkeep
from tests.federation.stranger import Stranger, rsa
from tests.fediverse import Fediverse, Studio


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
def social(fediverse: Fediverse) -> Stranger:
    return Stranger(fediverse)


def pem(number: int) -> str:
    return keys.write_pem(rsa(number).public_key())


def follow(social: Stranger, actor: str, attic: Studio, number: int = 0) -> Json:
    return {"id": f"{actor}/follow/{number}", "type": "Follow", "actor": actor, "object": attic.uri}


def alone(uri: str, owner: str, number: int = 7) -> Json:
    """A key as a document of its own."""
    return {"id": uri, "type": "Key", "owner": owner, "publicKeyPem": pem(number)}


async def believed(attic: Studio) -> bool:
    return any(one.proven for one in await attic.knows(Receipt))


# --- Whose key it is ---------------------------------------------------------------------------------------------


@pytest.mark.proves("P-052")
async def test_a_key_that_its_owners_document_lists_is_believed(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")

    answer = await social.sends(attic, follow(social, cleo, attic))

    assert answer.status_code == 202
    assert await believed(attic)
    assert [one.uri for one in await attic.knows(Actor) if not one.local] == [cleo]


@pytest.mark.proves("P-052")
@pytest.mark.parametrize("is_listed", [True, False])
async def test_a_key_that_stands_alone_counts_if_its_owner_lists_it(
    attic: Studio, social: Stranger, is_listed: bool
) -> None:
    key_id = f"{social.home}/cleo/main-key"
    cleo = social.actor("cleo", publicKey=key_id if is_listed else f"{social.home}/cleo/other-key")
    social.documents["/cleo/main-key"] = alone(key_id, cleo)

    answer = await social.brings(social.signed(f"{attic.home}/inbox", follow(social, cleo, attic), key_id))

    assert answer.status_code == (202 if is_listed else 401)
    assert await believed(attic) == is_listed


@pytest.mark.proves("P-052")
async def test_a_stub_with_a_key_leads_to_the_whole_document(attic: Studio, social: Stranger) -> None:
    key_id = f"{social.home}/cleo/main-key"
    key = {"id": key_id, "owner": f"{social.home}/cleo", "publicKeyPem": pem(7)}
    cleo = social.actor("cleo", publicKey=key)
    social.documents["/cleo/main-key"] = {"id": cleo, "type": "Person", "publicKey": key}

    answer = await social.brings(social.signed(f"{attic.home}/inbox", follow(social, cleo, attic), key_id))

    assert answer.status_code == 202
    assert await believed(attic)
    assert "/cleo" in social.asked


@pytest.mark.proves("P-052")
async def test_a_stub_alone_proves_nothing(attic: Studio, social: Stranger) -> None:
    key_id = f"{social.home}/cleo/main-key"
    cleo = social.actor("cleo")
    stub_key = {"id": key_id, "owner": cleo, "publicKeyPem": pem(3)}
    social.documents["/cleo/main-key"] = {"id": cleo, "type": "Person", "publicKey": stub_key}

    request = social.signed(f"{attic.home}/inbox", follow(social, cleo, attic), key_id, key=3)
    answer = await social.brings(request)

    assert answer.status_code == 401
    assert not await believed(attic)


@pytest.mark.proves("P-052", "P-302")
async def test_a_key_on_another_server_is_not_anybodys_here(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    evil = Stranger(fediverse, "evil.example", key=3)
    key_id = f"{evil.home}/key"
    cleo = social.actor("cleo", publicKey=[key_id, {"id": key_id, "owner": f"{social.home}/cleo", "publicKeyPem": ""}])
    evil.documents["/key"] = alone(key_id, cleo, 3)

    answer = await social.brings(evil.signed(f"{attic.home}/inbox", follow(social, cleo, attic), key_id))

    assert answer.status_code == 401
    assert not await believed(attic)


@pytest.mark.proves("P-052")
async def test_a_key_document_of_another_name_is_refused(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    social.documents["/key"] = alone(f"{cleo}#main-key", cleo)

    request = social.signed(f"{attic.home}/inbox", follow(social, cleo, attic), f"{social.home}/key")
    answer = await social.brings(request)

    assert answer.status_code == 401
    assert f"{social.home}/key" not in {one.id for one in await attic.knows(Key)}


@pytest.mark.proves("P-052", "P-302")
async def test_an_owner_who_is_somebody_else_is_refused(attic: Studio, social: Stranger) -> None:
    bella = social.actor("bella")
    cleo = social.actor(
        "cleo", publicKey={"id": f"{social.home}/cleo#main-key", "owner": bella, "publicKeyPem": pem(7)}
    )

    answer = await social.sends(attic, follow(social, cleo, attic))

    assert answer.status_code == 401


@pytest.mark.proves("P-108")
async def test_our_own_keys_are_looked_up_and_never_requested(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    body = {"id": f"{attic.uri}/x", "type": "Follow", "actor": attic.uri, "object": attic.uri}
    forged = await social.sends(attic, body, by=f"{attic.uri}#main-key", key=5)
    unknown = await social.sends(attic, body, by=f"{attic.home}/nobody#main-key", key=5)

    assert (forged.status_code, unknown.status_code) == (401, 401)
    assert [one for one in fediverse.requests if one.method == "GET"] == []


# --- Keys that are good no more ----------------------------------------------------------------------------------


def gives_new_keys(social: Stranger, name: str) -> None:
    """From now on its document lists the key number 3 under a new id, and no other."""
    uri = f"{social.home}/{name}"
    key = {"id": f"{uri}#new-key", "owner": uri, "publicKeyPem": pem(3)}
    social.documents[f"/{name}"] |= {"publicKey": key, "assertionMethod": []}  # type: ignore[operator]


@pytest.mark.proves("P-076", "P-078")
async def test_a_stolen_key_is_not_believed_from_memory_once_its_owner_has_another(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    cleo = social.actor("cleo")
    await social.sends(attic, follow(social, cleo, attic))
    gives_new_keys(social, "cleo")
    fediverse.later(minutes=2)
    await social.sends(attic, social.activity("Update", cleo, social.documents["/cleo"]))
    in_time = await social.sends(attic, follow(social, cleo, attic, 1))

    await fediverse.settle()
    too_late = await social.sends(attic, follow(social, cleo, attic, 2))

    assert (in_time.status_code, too_late.status_code) == (202, 401)


@pytest.mark.proves("P-076", "P-116")
@pytest.mark.parametrize("how", ["replaced", "proof key", "owner gone"])
async def test_whatever_ends_a_key_is_heard_of_at_once(attic: Studio, social: Stranger, how: str) -> None:
    cleo = social.actor("cleo")
    key_id = f"{cleo}#proof" if how == "proof key" else f"{cleo}#main-key"
    await attic.does(lambda tx: actors.keep(tx, Document(social.documents["/cleo"])))  # type: ignore[arg-type]
    before = await keyring.key(attic.instance, key_id)

    if how == "proof key":
        gives_new_keys(social, "cleo")
    elif how == "replaced":
        social.documents["/cleo"]["publicKey"]["publicKeyPem"] = pem(3)  # type: ignore[index]
    new = Document(social.documents["/cleo"])  # type: ignore[arg-type]
    await attic.does(lambda tx: actors.has_left(tx, cleo) if how == "owner gone" else actors.keep(tx, new))
    attic.instance.absences[cleo] = Absence(attic.instance.now() + NO_ANSWER, Unverified, "nobody answers")

    try:
        after = (await keyring.key(attic.instance, key_id)).public
    except Unverified:
        after = None
    assert after != before.public


async def test_a_key_stays_in_memory_while_other_actors_are_merely_confirmed(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    await social.sends(attic, follow(social, cleo, attic))

    for name in ("cleo", "dora"):
        social.actor(name)
        await attic.does(lambda tx, name=name: actors.keep(tx, Document(social.documents[f"/{name}"])))  # type: ignore[misc, arg-type]

    assert not attic.instance.store.topic("keyring").is_set()


@pytest.mark.proves("P-076")
async def test_what_another_process_heard_of_is_heard_of_here_within_minutes(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    cleo = social.actor("cleo")
    await social.sends(attic, follow(social, cleo, attic))
    gives_new_keys(social, "cleo")
    other = Store(attic.instance.store.engine.url.render_as_string(hide_password=False), attic.home, attic.instance.now)
    await other.write(lambda tx: actors.keep(tx, Document(social.documents["/cleo"])))  # type: ignore[arg-type]
    other.close()

    fediverse.later(minutes=5)
    answer = await social.sends(attic, follow(social, cleo, attic, 1))

    assert answer.status_code == 401


# --- How often they are asked for --------------------------------------------------------------------------------


@pytest.mark.proves("P-075")
async def test_a_key_is_asked_for_once_and_kept_for_good(fediverse: Fediverse, attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    for number in range(3):
        await social.sends(attic, follow(social, cleo, attic, number))
    fediverse.asleep.add(social.host)
    fediverse.later(days=3)

    answer = await social.sends(attic, follow(social, cleo, attic, 9))

    assert answer.status_code == 202
    assert social.asked == ["/cleo"]


@pytest.mark.proves("P-075")
async def test_an_actor_in_use_is_asked_again_after_a_day(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    cleo = social.actor("cleo")
    await social.sends(attic, follow(social, cleo, attic))
    social.documents["/cleo"]["name"] = "Cleo of the cellar"  # type: ignore[index]
    fediverse.later(hours=25)

    await social.sends(attic, follow(social, cleo, attic, 1))
    assert social.asked.count("/cleo") == 1
    await Upkeep(attic.instance).work()

    assert social.asked.count("/cleo") == 2
    assert [one.name for one in await attic.knows(Actor) if one.uri == cleo] == ["Cleo of the cellar"]


@pytest.mark.proves("P-075")
async def test_a_key_of_a_week_ago_is_confirmed_before_it_is_used(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    cleo = social.actor("cleo")
    await social.sends(attic, follow(social, cleo, attic))
    social.documents["/cleo"]["publicKey"]["publicKeyPem"] = pem(3)  # type: ignore[index]
    fediverse.later(days=8)

    answer = await social.sends(attic, follow(social, cleo, attic, 1))

    assert answer.status_code == 401


@pytest.mark.proves("P-076")
async def test_a_new_key_under_the_same_id_is_found(fediverse: Fediverse, attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    await social.sends(attic, follow(social, cleo, attic))
    fediverse.later(minutes=6)
    social.documents["/cleo"]["publicKey"]["publicKeyPem"] = pem(3)  # type: ignore[index]

    new = await social.sends(attic, follow(social, cleo, attic, 1), key=3)
    old = await social.sends(attic, follow(social, cleo, attic, 2), key=7)

    assert (new.status_code, old.status_code) == (202, 401)
    assert social.asked == ["/cleo", "/cleo"]


@pytest.mark.proves("P-076")
@pytest.mark.parametrize("form", ["#main-key", "/main-key"])
async def test_bad_signatures_make_us_ask_once_in_five_minutes(
    fediverse: Fediverse, attic: Studio, social: Stranger, form: str
) -> None:
    key_id = f"{social.home}/cleo{form}"
    cleo = social.actor("cleo", publicKey={"id": key_id, "owner": f"{social.home}/cleo", "publicKeyPem": pem(7)})
    social.documents["/cleo/main-key"] = alone(key_id, cleo)
    inbox = f"{attic.home}/inbox"
    await social.brings(social.signed(inbox, follow(social, cleo, attic), key_id))
    fediverse.later(minutes=6)
    before = len(social.asked)

    for number in range(5):
        forged = social.signed(inbox, follow(social, cleo, attic, number + 1), key_id, key=3)
        assert (await social.brings(forged)).status_code == 401
    once = len(social.asked) - before
    fediverse.later(minutes=6)
    await social.brings(social.signed(inbox, follow(social, cleo, attic, 9), key_id, key=3))

    assert once == (1 if form.startswith("#") else 2)
    assert len(social.asked) - before == 2 * once


@pytest.mark.proves("P-076")
async def test_a_renewed_key_has_to_match_as_well(fediverse: Fediverse, attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    await social.sends(attic, follow(social, cleo, attic))
    fediverse.later(minutes=6)
    social.documents["/cleo"]["publicKey"]["publicKeyPem"] = pem(3)  # type: ignore[index]

    answer = await social.sends(attic, follow(social, cleo, attic, 1), key=5)

    assert answer.status_code == 401


@pytest.mark.proves("P-116", "P-077")
async def test_whoever_is_deleted_signs_no_more(fediverse: Fediverse, attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    await social.sends(attic, follow(social, cleo, attic))
    await social.sends(attic, social.activity("Delete", cleo, cleo))
    await fediverse.settle()
    fediverse.later(hours=2)
    social.documents["/cleo"] = 410

    answer = await social.sends(attic, follow(social, cleo, attic, 1))

    assert answer.status_code == 202
    assert len(await attic.knows(Receipt)) == 2


@pytest.mark.parametrize("key", ["no key", {"id": "https://social.example/cleo#main-key", "publicKeyPem": "x"}, None])
async def test_a_key_that_cannot_be_read_proves_nothing(attic: Studio, social: Stranger, key: Any) -> None:
    cleo = social.actor("cleo", publicKey=key)

    answer = await social.sends(attic, follow(social, cleo, attic))

    assert answer.status_code == 401


@pytest.mark.proves("P-076", "P-327")
async def test_made_up_fragments_do_not_make_us_ask_again(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")

    for number in range(5):
        answer = await social.sends(attic, follow(social, cleo, attic, number), by=f"{cleo}#key-{number}")
        assert answer.status_code == 401

    assert social.asked == ["/cleo"]


@pytest.mark.proves("P-327")
async def test_a_crowd_that_arrives_together_makes_us_ask_once(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")

    sent = [social.sends(attic, follow(social, cleo, attic, number)) for number in range(9)]
    answers = await asyncio.gather(*sent)

    assert {answer.status_code for answer in answers} == {202}
    assert social.asked == ["/cleo"]


# --- What is remembered of failures ------------------------------------------------------------------------------


@pytest.mark.proves("P-077")
@pytest.mark.parametrize(
    ("there", "answer", "lasts"),
    [
        (404, 401, {"hours": 5}),
        (410, 202, {"hours": 5}),
        (500, 503, {"minutes": 4}),
        (503, 503, {"minutes": 4}),
        ({"type": "Note", "id": "https://social.example/cleo"}, 401, {"minutes": 4}),
        ({"type": "Person", "id": "https://other.example/cleo"}, 401, {"minutes": 4}),
        ({"type": "Person", "id": "https://social.example/cleo", "inbox": "nowhere"}, 401, {"minutes": 4}),
    ],
)
async def test_a_key_that_cannot_be_had_is_not_asked_for_again_soon(
    fediverse: Fediverse, attic: Studio, social: Stranger, there: Any, answer: int, lasts: dict[str, float]
) -> None:
    cleo = social.actor("cleo")
    proper, social.documents["/cleo"] = social.documents["/cleo"], there
    first = await social.sends(attic, follow(social, cleo, attic))
    asked = len(social.asked)
    fediverse.later(**lasts)
    second = await social.sends(attic, follow(social, cleo, attic, 1))
    asked_again = len(social.asked)
    social.documents["/cleo"] = proper
    fediverse.later(**{name: 2 * value for name, value in lasts.items()})

    third = await social.sends(attic, follow(social, cleo, attic, 2))

    assert (first.status_code, second.status_code, third.status_code) == (answer, answer, 202)
    assert asked_again == asked
    assert len(await attic.knows(Receipt)) == 1


@pytest.mark.proves("P-077")
async def test_whoever_sends_while_their_server_sleeps_is_asked_to_come_back(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    cleo = social.actor("cleo")
    fediverse.asleep.add(social.host)

    answer = await social.sends(attic, follow(social, cleo, attic))

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 60
    assert answer.json()["error"]


# --- What strangers may make us do and keep ----------------------------------------------------------------------


@pytest.mark.proves("P-327")
async def test_one_domain_has_so_many_strangers_in_an_hour_and_no_more(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    farm = [Stranger(fediverse, f"{name}.farm.example") for name in ("a", "b")]
    for number in range(ASKED_PER_HOUR - 1):
        attic.instance.asked[site(f"{number}.farm.example"), int(fediverse.now.timestamp()) // 3600, True] = number + 1

    answers = [await one.sends(attic, follow(one, one.actor("cleo"), attic)) for one in farm]
    elsewhere = await social.sends(attic, follow(social, social.actor("bella"), attic))
    fediverse.later(hours=1)
    later = await farm[1].sends(attic, follow(farm[1], farm[1].actor("cleo"), attic, 1))

    assert [answer.status_code for answer in answers] == [202, 503]
    assert (elsewhere.status_code, later.status_code) == (202, 202)
    assert len(attic.instance.asked) <= attic.instance.asked.maxsize


@pytest.mark.proves("P-327", "P-077")
async def test_whoever_names_keys_that_do_not_exist_keeps_nobody_else_from_their_server(
    attic: Studio, social: Stranger
) -> None:
    cleo, dora = social.actor("cleo"), social.actor("dora")

    async def forged(number: int) -> int:
        actor = f"{social.home}/made-up/{number}"
        answer = await social.sends(attic, follow(social, actor, attic), x_forwarded_for="203.0.113.9")
        return answer.status_code

    answers = [await forged(number) for number in range(OF_ADDRESS[0] + 2)]
    asked = len(social.asked)
    same_address = await social.sends(attic, follow(social, dora, attic), x_forwarded_for="203.0.113.9")
    another = await social.sends(attic, follow(social, cleo, attic), x_forwarded_for="198.51.100.4")

    assert (set(answers[:-2]), answers[-2:], asked) == ({401}, [503, 503], OF_ADDRESS[0])
    assert (same_address.status_code, another.status_code) == (503, 202)


@pytest.mark.proves("P-327")
async def test_keys_that_exist_do_not_count_against_whoever_is_new(attic: Studio, social: Stranger) -> None:
    crowd = [social.actor(f"fan{number}") for number in range(OF_ADDRESS[0] + 5)]

    answers = [await social.sends(attic, follow(social, one, attic), x_forwarded_for="203.0.113.9") for one in crowd]

    assert {answer.status_code for answer in answers} == {202}


@pytest.mark.proves("P-327")
async def test_strangers_who_prove_nothing_leave_us_our_own_questions(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    attic.instance.asked["social.example", int(fediverse.now.timestamp()) // 3600, True] = ASKED_PER_HOUR

    refused = await social.sends(attic, follow(social, social.actor("cleo"), attic))

    assert refused.status_code == 503
    assert (await attic.instance.document(social.actor("dora"))).type == "Person"


@pytest.mark.proves("P-076")
async def test_bad_signatures_from_one_address_make_us_ask_once_in_a_minute(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    crowd = [social.actor(f"fan{number}") for number in range(4)]
    for one in crowd:
        await social.sends(attic, follow(social, one, attic))
    fediverse.later(minutes=6)
    before = len(social.asked)

    for one in crowd[:3]:
        await social.sends(attic, follow(social, one, attic, 1), key=3, x_forwarded_for="203.0.113.9")
    once = len(social.asked) - before
    await social.sends(attic, follow(social, crowd[3], attic, 1), key=3, x_forwarded_for="198.51.100.4")
    another = len(social.asked) - before
    fediverse.later(minutes=2)
    await social.sends(attic, follow(social, crowd[1], attic, 2), key=3, x_forwarded_for="203.0.113.9")

    assert (once, another, len(social.asked) - before) == (1, 2, 3)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("farm.example", "farm.example"),
        ("a.farm.example", "farm.example"),
        ("a.b.farm.example:8443", "farm.example"),
        ("a.farm.example.", "farm.example"),
        ("studio.co.uk", "studio.co.uk"),
        ("a.studio.co.uk", "studio.co.uk"),
        ("t.co", "t.co"),
        ("a.t.co", "t.co"),
        ("192.0.2.7", "192.0.2.7"),
        ("localhost", "localhost"),
    ],
)
def test_subdomains_count_as_their_domain(host: str, domain: str) -> None:
    assert site(host) == domain


@pytest.mark.proves("P-327")
async def test_what_is_remembered_in_memory_is_bounded(attic: Studio) -> None:
    here = attic.instance

    caches: list[Any] = [here.keyring, here.absences, here.renewals, here.missed, here.asked]

    assert all(cache.maxsize <= 10_000 for cache in caches)
