"""Whether finding costs more where more is stored: people by their skills, and what was said by its words."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from benchmarks import network
from benchmarks.rows import fill, store_in
from coop import accounts, search, who
from coop.search import Search
from coop.who import Question
from federation import ids
from federation.store import Store, Transaction
from federation.tables import Object

PAGE = 20
TURNS = 400
LENGTH = 10  # words of a post
VOCABULARY = 30_000  # words that there are; the second is said half as often as the first, and so on


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one search, and of the slowest of a hundred."""

    median: float
    tail: float


def skills(folder: Path, people: int, turns: int = TURNS) -> tuple[Times, float]:
    """To ask who are the first five for some skill, in a network of so many; and what part of them is right."""
    with store_in(folder / f"network-{people}") as store:
        me = asyncio.run(store.read(lambda db: accounts.first(db).uri))
        made = asyncio.run(store.write(lambda tx: network.build(tx, me, people)))
        asked = sorted(made.answers)
        chance = random.Random(2)

        def ask(db: Session) -> None:
            who.knows(db, me, Question((chance.choice(asked),)), network.FIRST, store.clock())

        times = _measured(store, ask, turns)
        return times, asyncio.run(store.read(lambda db: made.precision(db, store.clock())))


def words(folder: Path, stored: int, turns: int = TURNS) -> Times:
    """To look for one to three words, each as often as it is said, among so many posts; every tenth time half typed."""
    with store_in(folder / f"words-{stored}") as store:
        me = asyncio.run(store.read(lambda db: accounts.first(db).uri))
        asyncio.run(fill(store, _posts, stored))
        chance = random.Random(3)

        def look(db: Session) -> None:
            said = _text(chance, chance.choice((1, 1, 2, 3)))
            asked = said[:-1] if chance.random() < 0.1 else said
            search.find(db, me, Search(asked), PAGE)

        return _measured(store, look, turns)


def _measured(store: Store, work: Callable[[Session], None], turns: int) -> Times:
    def timed(db: Session) -> float:
        began = time.perf_counter()
        work(db)
        return time.perf_counter() - began

    took = [asyncio.run(store.read(timed)) for _ in range(turns)][turns // 10 :]  # the first warm up
    return Times(median(took), quantiles(took, n=100)[98])


_WORDS = [
    f"{consonant}{vowel}{end}{number:x}"
    for number, (consonant, vowel, end) in enumerate(
        [(a, b, c) for a in "bdfghklmnprstvwz" for b in "aeiou" for c in "lmnrst"] * (VOCABULARY // 480 + 1)
    )
][:VOCABULARY]
_OFTEN = list(accumulate(1 / (rank + 2) for rank in range(VOCABULARY)))


def _text(chance: random.Random, length: int) -> str:
    return " ".join(chance.choices(_WORDS, cum_weights=_OFTEN, k=length))


def _posts(tx: Transaction, numbers: range) -> None:
    chance, made = random.Random(numbers.start), datetime(2026, 1, 1, tzinfo=UTC)
    rows = []
    for number in numbers:
        when = made + timedelta(seconds=number)
        author = f"https://h{number % 500}.example/actors/a"
        uri = f"https://h{number % 500}.example/notes/{number}"
        document = {"id": uri, "type": "Note", "attributedTo": author, "content": f"<p>{_text(chance, LENGTH)}</p>"}
        row = {"id": ids.new(when), "uri": uri, "type": "Note", "author": author, "published": when}
        rows.append({**row, "document": document, "visibility": "public"})
    tx.db.execute(insert(Object), rows)
    search.put(tx, tx.db.scalars(select(Object).where(Object.id.in_([row["id"] for row in rows]))))
