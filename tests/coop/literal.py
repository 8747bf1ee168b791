"""The law at the head of `coop.history`, word by word, as slow as it reads: what the derivation is held against.

Sets are sets of hashes, every question is asked anew of every statement, and nothing is shared with the program but how
the statements are put in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from activitypub.statement import Role, Statement
from coop.membership import in_order

ENDINGS = ("remove", "undo", "reject")
LEADS_SAY = ("invite", "add", "remove", "update")
ABOUT_ROLES = ("create", "accept", "add", "remove", "leave")


class Said:
    """One statement, and what its author knew."""

    def __init__(self, law: Law, statement: Statement, past: frozenset[Said]) -> None:
        self.law, self.it, self.past = law, statement, past

    @cached_property
    def seen(self) -> list[Said]:
        return self.law.counting(self.past)

    @cached_property
    def stands(self) -> bool:
        return self._has_right() and applies(self, self.seen)

    @cached_property
    def answers(self) -> Said | None:
        """The invitation or request that it is about."""
        kinds = ("invite", "join") if self.it.kind == "reject" else ("invite",)
        return next((one for one in self.seen if one.it.id == self.it.about and one.it.kind in kinds), None)

    @cached_property
    def ground(self) -> Said | None:
        """What gave its author the right to say it."""
        about = self.answers
        if self.it.kind == "accept":
            return about
        if self.it.kind in ("create", "join", "leave") or (about and self.it.author in own(self, about)):
            return None
        return last_word(self.it.author, self.seen)

    @cached_property
    def gives(self) -> Role | None:
        if self.it.kind == "accept":
            return self.answers.it.role if self.answers else None
        return self.it.role if self.it.kind in ("create", "add") else None

    @cached_property
    def is_word(self) -> bool:
        """Whether it changed somebody's role, as its author saw it."""
        return self.it.kind in ABOUT_ROLES and role_of(self.it.subject, self.seen) != self.gives

    @property
    def grounds(self) -> list[Said]:
        """Itself and all that it rests on."""
        return [self, *(self.ground.grounds if self.ground else [])]

    @property
    def is_demotion(self) -> bool:
        had = role_of(self.it.subject, self.seen)
        is_less = had == "lead" or (had == "usher" and self.it.role in ("member", "guest"))
        return self.it.kind == "add" and self.is_word and is_less

    @property
    def is_ending(self) -> bool:
        return self.it.kind in ENDINGS or self.is_demotion

    @property
    def is_led(self) -> bool:
        return self.it.kind in LEADS_SAY or (self.it.kind in ("undo", "reject") and self.ground is not None)

    @property
    def seniority(self) -> tuple[int, list[str], str]:
        grants = [one.it.hash for one in self.grounds[1:] if one.it.kind in ("invite", "add")]
        return len(grants), grants[::-1], self.it.hash

    def voids(self, other: Said) -> bool:
        """Whether it takes the other away, which neither it comes after nor comes after it."""
        if other is self or self in other.past or other in self.past:
            return False
        if self.it.kind == "remove":
            return other.it.author == self.it.subject
        if self.it.kind == "leave" or self.is_demotion:
            return other.it.author == self.it.subject and other.is_led
        is_closing = self.it.kind in ("undo", "reject") and self.answers is not None
        return is_closing and other.it.kind == "accept" and other.answers is self.answers

    def _has_right(self) -> bool:
        it, about = self.it, self.answers
        if it.kind in ("create", "join", "leave"):
            return it.kind != "create" or not self.past
        if it.kind == "accept":
            late = about and about.it.until and (it.published is None or it.published >= about.it.until)
            return about is not None and about.it.subject == it.author and not late
        if it.kind == "reject" and about and about.it.kind == "invite":
            return about.it.subject == it.author
        if it.kind == "undo" and about and about.it.author == it.author:
            return True
        role = role_of(it.author, self.seen)
        if role == "usher" and it.kind == "invite" and it.role in ("member", "guest"):
            return True
        return (it.kind in LEADS_SAY or about is not None) and role == "lead"


class Law:
    def __init__(self, statements: Sequence[Statement]) -> None:
        self.said: dict[str, Said] = {}
        self._known: dict[frozenset[Said], list[Said]] = {}
        for one in in_order(statements, statements[0]):
            before = [self.said[hash_] for hash_ in one.after]
            self.said[one.hash] = Said(self, one, frozenset(before).union(*(each.past for each in before)))

    def standing(self) -> set[str]:
        return {hash_ for hash_, one in self.said.items() if one.stands}

    def counting(self, known: Iterable[Said]) -> list[Said]:
        """Those of `known` that count, in their order."""
        known = frozenset(known)
        if known not in self._known:
            standing = [one for one in self.said.values() if one in known and one.stands]
            lost, counting = voided(standing), list[Said]()
            for one in standing:
                if one not in lost and (one.ground is None or one.ground in counting) and applies(one, counting):
                    counting.append(one)
            self._known[known] = counting
        return self._known[known]


def voided(standing: Sequence[Said]) -> set[Said]:
    void = {one: {other for other in standing if one.voids(other)} for one in standing}
    endings = [one for one in standing if one.is_ending and void[one]]
    opponents = {one: {each for each in endings if void[each].intersection(one.grounds)} for one in endings}
    lost = set[Said]().union(*(void[one] for one in standing if one.it.kind == "leave"))
    lost.update(*(void[one] for one in endings if not opponents[one]))
    disputed = sorted((one for one in endings if opponents[one]), key=lambda one: one.seniority)
    while disputed := [one for one in disputed if not lost.intersection(one.grounds)]:
        winner = next((one for one in disputed if not opponents[one].intersection(disputed)), disputed[0])
        disputed.remove(winner)
        lost |= void[winner]
    return lost


def applies(one: Said, counting: Sequence[Said]) -> bool:
    """Whether there is anything for it to do where that is all that counts before it."""
    it, about = one.it, one.answers
    if it.kind == "accept":
        return about is not None and about in counting and is_open(about, counting)
    if it.kind == "add":
        return role_of(it.subject, counting) is not None and (it.role == "lead" or not is_last(it.subject, counting))
    if it.kind == "leave":
        return role_of(it.author, counting) is not None and not is_last(it.author, counting)
    return it.kind != "remove" or not is_last(it.subject, counting)


def is_open(invite: Said, counting: Sequence[Said]) -> bool:
    who = invite.it.subject
    answered = any(one.answers is invite and one.it.kind in ("accept", "undo", "reject") for one in counting)
    removed = any(one.it.kind == "remove" and one.it.subject == who and one not in invite.past for one in counting)
    return not answered and not removed and role_of(who, counting) is None


def last_word(who: str | None, counting: Sequence[Said]) -> Said | None:
    word = next((one for one in reversed(counting) if one.is_word and one.it.subject == who), None)
    return word if word and word.gives else None


def role_of(who: str | None, counting: Sequence[Said]) -> Role | None:
    word = last_word(who, counting)
    return word.gives if word else None


def is_last(who: str | None, counting: Sequence[Said]) -> bool:
    others = {one.it.subject for one in counting if one.is_word} - {who}
    return role_of(who, counting) == "lead" and not any(role_of(one, counting) == "lead" for one in others)


def own(answer: Said, about: Said) -> tuple[str | None, ...]:
    """Who needs no authority for that answer: who was invited declines, and who invited takes it back."""
    if about.it.kind != "invite":
        return ()
    return (about.it.subject,) if answer.it.kind == "reject" else (about.it.author,)
