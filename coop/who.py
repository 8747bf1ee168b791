"""Who do we know that can do something? Answered from what is stored here, at once; nobody is asked.

The law, which is the order of the answers: who names more of the skills that are asked for comes first; of those, who
lives here, is followed, or is in a project with the one who asks; then who is endorsed for it by somebody whom that one
follows, then who says that they have time; and then it is by name. There is no other weight, and no score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from activitypub.endorsement import Judgement
from coop import blocks, circles, follows, paths, skills, verdicts, words
from coop.cards import Card, CardSkill
from coop.endorsements import EndorsedSkill, Endorsement
from coop.errors import Trouble
from coop.follows import Follow
from coop.paths import Way
from coop.skills import How
from coop.statements import Membership
from federation.tables import Actor

MAX_ASKED = 8  # skills of one question
MAX_FOUND = 100  # people of one answer
WAYS = 2  # to one person; more say nothing more
PAPERS = 3  # endorsements shown of one person, the latest


@dataclass(frozen=True, slots=True)
class Question:
    """Who can do `skills`? Only those who say that they have time, work for people elsewhere, or are at a place."""

    skills: tuple[str, ...]
    available: bool = False
    remote: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """What was `asked` for, the skill on the card that means it, and how that was found out."""

    asked: str
    skill: str
    how: How


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody, and why: what they can do, how one comes to them, and who vouches for that skill."""

    actor: Actor
    card: Card
    matched: tuple[Matched, ...]
    ways: tuple[Way, ...]
    endorsements: tuple[tuple[Endorsement, Judgement], ...]


def knows(db: Session, account: str, question: Question, limit: int, now: datetime) -> list[Found]:
    """Up to `limit` people whom `account` knows, or may hear of, and who can do what is asked for.

    Raise `Trouble` for a question that asks for nothing, or for too much at once.
    """
    asked = tuple(dict.fromkeys(one.strip() for one in question.skills if skills.key(one)))
    if not 1 <= len(asked) <= MAX_ASKED:
        raise Trouble("name one to %(most)s skills, such as: typesetting", most=MAX_ASKED)
    rows = db.execute(_ranked(account, asked, question).limit(min(limit, MAX_FOUND))).all()
    people = [row.Actor.uri for row in rows]
    ways = paths.ways_to(db, account, people, now)
    cards = _matched(db, [row.Card.id for row in rows], asked)
    papers = _vouched(db, people, asked, now)
    return [
        Found(actor, card, cards[card.id], tuple(ways.get(actor.uri, ())[:WAYS]), tuple(papers.get(actor.uri, ())))
        for actor, card in rows
    ]


def _ranked(account: str, asked: Sequence[str], question: Question) -> Select[Actor, Card]:
    keys = [skills.alike(one) for one in asked]
    has = [func.max(case((CardSkill.skill.in_(sorted(some)), 1), else_=0)) for some in keys]
    matching = select(CardSkill.card, sum(has[1:], has[0]).label("number"))
    matching = matching.where(CardSkill.skill.in_(sorted(frozenset().union(*keys)))).group_by(CardSkill.card)
    found = matching.subquery()
    near = or_(Actor.local, _follows(account), _works_with(account))
    query = select(Actor, Card).join(Card, Card.id == Actor.id).join(found, found.c.card == Card.id)
    query = query.where(Actor.uri != account, Actor.gone.is_(None), ~blocks.shuts_out(account))
    query = query.where(or_(near, and_(Card.findable, _is_introduced(account))), *_conditions(question))
    order = (found.c.number.desc(), case((near, 0), else_=1), case((_is_vouched_for(account, asked), 0), else_=1))
    return query.order_by(*order, Card.has_time.desc(), Actor.name, Actor.uri)


def _conditions(question: Question) -> list[ColumnElement[bool]]:
    place = words.fold(question.place.strip())
    wanted: list[tuple[bool, ColumnElement[bool]]] = [
        (question.available, Card.has_time.is_(True)),
        (question.remote, Card.remote.is_(True)),
        (bool(place), Card.area.contains(place, autoescape=True)),
    ]
    return [condition for is_wanted, condition in wanted if is_wanted]


def _follows(account: str) -> ColumnElement[bool]:
    return exists().where(Follow.follower == account, Follow.followed == Actor.uri, Follow.state == "accepted")


def _works_with(account: str) -> ColumnElement[bool]:
    mine = select(Membership.project).where(Membership.member == account)
    return exists().where(Membership.member == Actor.uri, Membership.project.in_(mine))


def _is_introduced(account: str) -> ColumnElement[bool]:
    return circles.introductions(account, lambda column: column == Actor.uri).exists()


def _is_vouched_for(account: str, asked: Sequence[str]) -> ColumnElement[bool]:
    """Whether somebody whom `account` follows, or itself, endorsed them for one of the skills."""
    known = or_(Endorsement.endorser == account, Endorsement.endorser.in_(follows.following(account)))
    return _papers(asked).where(Endorsement.subject == Actor.uri, known).exists()


def _papers(asked: Sequence[str]) -> Select[Endorsement]:
    """Endorsements for one of the skills that stand and are shown."""
    called = frozenset().union(*(skills.names(one) for one in asked))
    named = select(EndorsedSkill.endorsement).where(EndorsedSkill.skill.in_(sorted(called)))
    shown = (Endorsement.revoked.is_(None), Endorsement.display == "accepted")
    return select(Endorsement).where(*shown, Endorsement.id.in_(named))


def _matched(db: Session, cards: Sequence[int], asked: Sequence[str]) -> dict[int, tuple[Matched, ...]]:
    """For each card what of it answers what; where several skills do, the one that is named the same."""
    if not cards:
        return {}
    on_card: dict[int, dict[str, str]] = {card: {} for card in cards}
    for row in db.scalars(select(CardSkill).where(CardSkill.card.in_(cards))):
        on_card[row.card][row.skill] = row.name
    return {card: tuple(_answers(named, asked)) for card, named in on_card.items()}


def _answers(named: dict[str, str], asked: Sequence[str]) -> list[Matched]:
    found = []
    for one in asked:
        own = skills.key(one)
        alike = sorted(skills.alike(one) & named.keys(), key=lambda key: (key != own, key))
        if alike:
            found.append(Matched(one, named[alike[0]], skills.how(own, alike[0])))
    return found


def _vouched(
    db: Session, people: Sequence[str], asked: Sequence[str], now: datetime
) -> dict[str, list[tuple[Endorsement, Judgement]]]:
    """The endorsements of each for what is asked, those that hold, as far as we can tell without asking anybody."""
    place = func.row_number().over(partition_by=Endorsement.subject, order_by=Endorsement.id.desc()).label("place")
    ranked = _papers(asked).with_only_columns(Endorsement.id, place).where(Endorsement.subject.in_(people)).subquery()
    some = select(Endorsement).join(ranked, ranked.c.id == Endorsement.id).where(ranked.c.place <= PAPERS)
    found: dict[str, list[tuple[Endorsement, Judgement]]] = {}
    for row, judged in verdicts.with_verdicts(db, some.order_by(Endorsement.id.desc()), now):
        if judged.verdict.startswith("valid"):
            found.setdefault(row.subject, []).append((row, judged))
    return found
