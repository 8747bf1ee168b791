"""How one of us knows somebody: by whom they follow, whom they share projects with, and who vouches for whom.

The law: a way begins with the one who asks, and each on it is believed about the next: what they signed about them, or
a project that both agreed to be in. So a crowd of strangers who vouch for each other, or for us, leads nowhere. It is a
reason that is told in words, never a number to be compared. Whom our own people follow is nobody else's to know, nor
are projects that the one who asks is not in and that do not show who is. That somebody merely follows somebody is the
end of a way: many follow whoever follows them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from activitypub import endorsement
from activitypub.document import Document
from activitypub.errors import ProtocolError
from activitypub.sentence import Sentence, together
from coop import circles, follows, identities
from coop.blocks import Block
from coop.endorsements import Endorsement
from coop.statements import Membership, Project
from federation.tables import Actor

DEPTH = 3  # steps from the one who asks
BREADTH = 200  # people at each step who are asked on, those that are best known first
EACH = 30  # endorsements, and members of projects, of one person that are looked at, the latest first
SHOWN = 5  # ways to somebody


@dataclass(frozen=True, slots=True)
class Step:
    """What `by` says of `to`, or does with them. `works` are the projects and works that they have in common."""

    by: str
    to: str
    follows: bool = False
    endorsements: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    works: frozenset[str] = frozenset()


Way = tuple[Step, ...]


def reach(
    db: Session,
    me: str,
    now: datetime,
    depth: int = DEPTH,
    last: Collection[str] | None = None,
    shut: Collection[str] | None = None,
) -> dict[str, Way]:
    """Everybody near `me`, one of us, by their URI, with the shortest way to each; of several such, the firmest.

    Of those at the last step, if it says which are wanted, only they; `shut` are those who do not count, if it is
    known who that is.
    """
    found: dict[str, Way] = {}
    frontier = [me]
    shut = _blocked(db, me) if shut is None else shut
    for number in range(1, depth + 1):
        news: dict[str, Way] = {}
        wanted = last if number == depth else None
        for step in sorted(_steps(db, me, frontier, now, wanted), key=_firmness):
            if step.to not in found and step.to not in shut and len(news) < BREADTH:
                news.setdefault(step.to, (*found.get(step.by, ()), step))
        found |= news
        frontier = [*news]
    return found


def ways(db: Session, me: str, to: str, now: datetime) -> list[Way]:
    """The ways from `me` to somebody, at whichever of their addresses: the shortest and firmest first.

    There is one by each person near `me` who knows them.
    """
    places = {*identities.same(db, to)}
    found = [way for some in ways_to(db, me, places, now).values() for way in some]
    others = [way for way in found if places.isdisjoint(step.by for step in way)]
    return sorted(others, key=_length)[:SHOWN]


def ways_to(db: Session, me: str, people: Collection[str], now: datetime) -> dict[str, list[Way]]:
    """All such ways to each of some people, in the same order; those to whom there is none are left out."""
    shut, found = _blocked(db, me), dict[str, list[Way]]()
    wanted = {*people} - shut
    near = reach(db, me, now, DEPTH - 1, _who_may_know(db, wanted), shut)
    for step in _steps(db, me, [me, *near], now, wanted):
        found.setdefault(step.to, []).append((*near.get(step.by, ()), step))
    return {uri: sorted(some, key=_length) for uri, some in found.items()}


def between(db: Session, me: str, people: Sequence[str], now: datetime) -> list[Step]:
    """What some people say of each other, as far as it is for `me`, one of us, to know; the firmest first."""
    return sorted(_steps(db, me, people, now, {*people}), key=_firmness)


def _who_may_know(db: Session, people: Collection[str]) -> set[str]:
    """Whoever vouched for some people or is in a project with them: few, beside all who are near."""
    one, other = aliased(Membership), aliased(Membership)
    vouched = select(Endorsement.endorser).where(Endorsement.subject.in_(people))
    worked = select(one.member).join(other, other.project == one.project).where(other.member.in_(people))
    return {*db.scalars(vouched.union(worked))}


def words(db: Session, way: Way) -> Sentence:
    """A way as people tell it: "You follow Ben (ben@shop.example); Ben (…) worked with Ana (…) twice"."""
    [told] = all_in_words(db, [way])
    return told


def all_in_words(db: Session, some: Sequence[Way]) -> list[Sentence]:
    """The same of several at once."""
    people = {one for way in some for step in way for one in (step.by, step.to)}
    rows = db.execute(select(Actor.uri, Actor.name, Actor.address).where(Actor.uri.in_(people)))
    names = {row.uri: f"{row.name} ({row.address or row.uri})" for row in rows}  # a name anybody can have
    return [together(*(_told(step, names, n == 0) for n, step in enumerate(way)), between="; ") for way in some]


def _told(step: Step, names: Mapping[str, str], is_me: bool) -> Sentence:
    by, to = (names.get(one, one) for one in (step.by, step.to))
    said = [Sentence("follow %(name)s", name=to) if is_me else Sentence("follows %(name)s", name=to)] * step.follows
    said += [_worked_with(to, len(step.works), is_me)] if step.works else []
    if step.endorsements:
        what = {"name": to, "skills": ", ".join(step.skills)}
        you = Sentence("vouch for %(name)s: %(skills)s", **what)
        said += [you if is_me else Sentence("vouches for %(name)s: %(skills)s", **what)]
    did = reduce(lambda one, other: Sentence("%(one)s and %(other)s", one=one, other=other), said)
    return Sentence("You %(did)s", did=did) if is_me else Sentence("%(name)s %(did)s", name=by, did=did)


def _worked_with(name: str, number: int, is_me: bool) -> Sentence:
    match number:
        case 1:
            times = Sentence("once")
        case 2:
            times = Sentence("twice")
        case _:
            times = Sentence("%(number)s times", number=number)
    if is_me:
        return Sentence("have worked with %(name)s %(times)s", name=name, times=times)
    return Sentence("worked with %(name)s %(times)s", name=name, times=times)


def _length(way: Way) -> tuple[int, list[tuple[int, int, bool, str, str]]]:
    return len(way), [_firmness(step) for step in reversed(way)]


def _firmness(step: Step) -> tuple[int, int, bool, str, str]:
    """To sort by: what two did together counts more than what one says, and a name decides between equals."""
    return (-len(step.works), -len(step.endorsements), not step.follows, step.by, step.to)


def _steps(db: Session, me: str, by: Sequence[str], now: datetime, to: Collection[str] | None = None) -> list[Step]:
    """What those `by` say of others, or of those `to` alone: in a few queries, however many they are."""
    follow = {(me, one) for one in db.scalars(follows.following(me)) if to is None or one in to} if me in by else set()
    if to is not None:
        told = db.execute(circles.introductions(me, lambda column: column.in_(to)))
        follow |= {(one, other) for one, other in told if one in by}
    given: dict[tuple[str, str], list[Endorsement]] = {}
    for row in db.scalars(_given(by, to)):
        if not _is_over(row, now):
            given.setdefault((row.endorser, row.subject), []).append(row)
    shared: dict[tuple[str, str], set[str]] = {}
    for one, other, project in db.execute(_shared(me, by, to)):
        shared.setdefault((one, other), set()).add(project)
    pairs = follow | given.keys() | shared.keys()
    return [_step(*pair, pair in follow, given.get(pair, ()), shared.get(pair, ())) for pair in pairs]


def _step(by: str, to: str, is_followed: bool, given: Iterable[Endorsement], shared: Iterable[str]) -> Step:
    rows = sorted(given, key=lambda row: row.uri)
    skills = dict.fromkeys(skill for row in rows for skill in Document(row.inner).strings("skill"))
    works = {work for row in rows if (work := Document(row.inner).uri("context"))}
    return Step(by, to, is_followed, tuple(row.uri for row in rows), tuple(skills), frozenset(works.union(shared)))


def _given(by: Collection[str], to: Collection[str] | None) -> Select[Endorsement]:
    """What they vouched for and did not take back, unless whom it is about would rather not have it shown.

    Each was verified when it came (P-241). Nobody takes the place of others by vouching for thousands.
    """
    place = func.row_number().over(partition_by=Endorsement.endorser, order_by=Endorsement.id.desc()).label("place")
    held = (Endorsement.revoked.is_(None), Endorsement.display != "declined", Endorsement.endorser.in_(by))
    about = () if to is None else (Endorsement.subject.in_(to),)
    latest = select(Endorsement.id, place).where(*held, *about).subquery()
    return select(Endorsement).where(Endorsement.id.in_(select(latest.c.id).where(latest.c.place <= EACH)))


def _shared(me: str, by: Collection[str], to: Collection[str] | None) -> Select[str, str, str]:
    """Who is in a project with whom: in those that `me` is in, and those that show it to everybody."""
    one, other = aliased(Membership), aliased(Membership)
    mine = select(Membership.project).where(Membership.member == me)
    shown = select(Project.uri).where(or_(Project.public, Project.uri.in_(mine)))
    place = func.row_number().over(partition_by=one.member, order_by=(other.id.desc())).label("place")
    pairs = select(one.member.label("one"), other.member.label("other"), one.project.label("project"), place)
    pairs = pairs.join(other, other.project == one.project).where(one.member.in_(by), other.member != one.member)
    found = pairs.where(one.project.in_(shown), *(() if to is None else (other.member.in_(to),))).subquery()
    return select(found.c.one, found.c.other, found.c.project).where(found.c.place <= EACH)


def _is_over(row: Endorsement, now: datetime) -> bool:
    try:
        return endorsement.has_expired(endorsement.Endorsement.read(Document(row.inner)), now)
    except ProtocolError:
        return True


def _blocked(db: Session, me: str) -> set[str]:
    """`me`, and everybody with whom there is a block."""
    rows = db.execute(select(Block.by, Block.blocked).where(or_(Block.by == me, Block.blocked == me)))
    return {me, *(uri for row in rows for uri in row)}
