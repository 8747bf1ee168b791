"""Who else saw a key at its owner's server: what this one tells other studios, and what it asks of them (P-244).

The law: a witness's word is shown as that witness's word. It makes no endorsement more than ``valid by copy``, for
whoever made up a key can have friends who say that they saw it. Only studios are told, and nobody of more than of keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import quote, urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activitypub import endorsement, keys, proof, witness
from activitypub.document import Document, Json
from activitypub.endorsement import Bundle, Judgement
from activitypub.errors import Malformed, ProtocolError
from activitypub.origin import host, site
from activitypub.sentence import Sentence, together
from activitypub.witness import Sighting
from coop import verdicts
from coop.endorsements import Snapshot
from federation import discovery, known
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.tables import Actor, BlockedDomain, Key

MAX_ASKED = 8  # studios, one of each site
CANDIDATES = 50  # servers, of which those are
UNSURE = ("valid by copy", "unknown")  # verdicts that somebody else's word adds something to


@dataclass(frozen=True, slots=True)
class Witness:
    """A server that was asked, and what it said; ``None`` if it never saw the key, or did not answer."""

    host: str
    said: Sighting | None


# --- Told --------------------------------------------------------------------------------------------------------


def sighting(db: Session, home: str, reader: str | None, key_id: str) -> Json | None:
    """What `reader` is told of a key; ``None`` alike if we keep no snapshot of its owner and if they are no studio."""
    if reader is None or not db.scalar(select(Actor.aware).where(Actor.uri == reader, Actor.gone.is_(None))):
        return None
    row = db.get(Key, key_id)
    kept = db.get(Snapshot, row.owner) if row else None
    if row is None or kept is None:
        return None
    key = keys.Key(row.id, row.owner, keys.load_pem(row.public), row.use)
    both = ((kept.first, kept.first_seen), (kept.last, kept.last_seen))
    seen = tuple(endorsement.Snapshot(Document(document), when) for document, when in both)
    return Sighting(key, row.first_seen, row.last_seen, seen).write(address(home, key_id))


def address(home: str, key_id: str) -> str:
    return f"{home}{witness.PATH}?key={quote(key_id, safe='')}"


# --- Asked -------------------------------------------------------------------------------------------------------


async def verify(here: Instance, body: bytes) -> tuple[Document, Judgement]:
    """What may be said of the endorsement in a file, with all that this server has seen; else whoever gave it is asked;
    and if they do not answer, those who may have seen their key. Raise `Malformed` if there is no endorsement in it.
    """
    inner, found = await here.store.read(lambda db: verdicts.verify_here(db, body, here.now()))
    author = inner.uri("attributedTo")
    if found.verdict not in UNSURE or author is None:
        return inner, found
    with suppress(ProtocolError, Unreachable, Gone):
        live = await _asked_of_giver(here, inner, author)
        if live.verdict != "unknown":  # as it is of a key that is listed there no more
            return inner, live
    copy = Bundle.read(Document.parse(body))
    asked = await ask(here, copy, author)
    if found.verdict == "unknown":
        found = _by_witnesses(inner, asked, here.now()) or found
    return inner, Judgement(found.verdict, together(found.reason, in_words(asked, _own(copy))))


async def _asked_of_giver(here: Instance, inner: Document, author: str) -> Judgement:
    """Raise if their server tells neither keys nor revocations."""
    document = await discovery.fetch(here, author)
    if document.id != author:
        raise Malformed(f"{author} says that it is {document.id}")
    said = await verdicts.revocations(here, document)

    def judge(db: Session) -> Judgement:
        now = here.now()
        taken_back = any(verdicts.is_taken_back(inner, one, partial(known.key, db), now) for one in said)
        revoked = verdicts.revoked_at(db, inner) or (now if taken_back else None)
        return verdicts.judge(inner, partial(known.key, db), "live", now, revoked)

    return await here.store.read(judge)


async def ask(here: Instance, copy: Bundle, author: str) -> list[Witness]:
    """Those who may have seen the key that proves an endorsement, but the two whom it is about: each is asked once."""
    inner = copy.endorsement
    claims: tuple[proof.Proof, ...] = ()
    with suppress(ProtocolError):
        claims = proof.read(inner.json, here.now())
    if not claims:
        return []
    parties = {host(one) for one in (author, inner.uri("object")) if one}
    homes = await here.store.read(lambda db: _homes(db, parties))
    return [*await asyncio.gather(*(_ask(here, home, claims[0].key_id, author) for home in homes))]


def _homes(db: Session, parties: set[str]) -> Sequence[str]:
    """Where studios are that we know, those with whom we had to do last; one of each site."""
    others = (Actor.aware, ~Actor.local, Actor.gone.is_(None), Actor.host.not_in(parties))
    open_ones = Actor.host.not_in(select(BlockedDomain.host))
    query = select(func.min(Actor.uri)).where(*others, open_ones).group_by(Actor.host)
    by_site: dict[str, str] = {}
    for uri in db.scalars(query.order_by(func.max(Actor.needed).desc(), Actor.host).limit(CANDIDATES)):
        by_site.setdefault(site(host(uri)), "{0.scheme}://{0.netloc}".format(urlsplit(uri)))
    return [*by_site.values()][:MAX_ASKED]


async def _ask(here: Instance, home: str, key_id: str, author: str) -> Witness:
    with suppress(ProtocolError, Unreachable, Gone):
        document = await here.document(address(home, key_id))
        return Witness(host(home), Sighting.read(document, key_id, author, here.now()))
    return Witness(host(home), None)


def _own(copy: Bundle) -> keys.Key | None:
    """The key by which the copy says of itself that it holds."""
    return next((copy.listed()[uri] for uri in verdicts.claimed(copy.endorsement) if uri in copy.listed()), None)


def _by_witnesses(inner: Document, asked: Sequence[Witness], now: datetime) -> Judgement | None:
    """What may be said by a key that only others have seen."""
    for said in (one.said for one in asked if one.said):
        found = verdicts.judge(inner, {said.key.id: said.key}.get, "bundle", now)
        if found.verdict == "valid by copy":
            return Judgement(
                "valid by copy", Sentence("The proof holds by a key that others told us; we never saw it ourselves.")
            )
    return None


def in_words(asked: Sequence[Witness], key: keys.Key | None) -> Sentence:
    """What they said, each for itself. Of what they saw it is told whether it is `key`, which came with the copy."""
    told = [_in_words(one.host, one.said, key) for one in asked if one.said]
    if told:
        return together(*told)
    if len(asked) > 1:
        return Sentence("%(number)s other studios were asked: none has seen the key.", number=len(asked))
    if asked:
        return Sentence("One other studio was asked: it has not seen the key.")
    return Sentence("There was nobody else to ask.")


def _in_words(host: str, said: Sighting, key: keys.Key | None) -> Sentence:
    if key is not None and keys.write_multikey(said.key.public) != keys.write_multikey(key.public):
        return Sentence(
            "%(host)s says that it saw another key of that name there: trust neither without asking further.", host=host
        )
    first, last = said.first.date(), said.last.date()
    if first == last:
        seen = Sentence("%(host)s says that it saw the key at its owner's server on %(day)s.", host=host, day=first)
    else:
        seen = Sentence(
            "%(host)s says that it saw the key at its owner's server from %(first)s to %(last)s.",
            host=host,
            first=first,
            last=last,
        )
    return together(seen, Sentence("The key itself says whose it is.")) if said.by_itself else seen
