"""Five studios with one project, whatever happens between them: once they reach each other again, they agree.

What chance makes them do is more than anybody would: they invite, remove, promote and rename against each other while
some sleep, cannot reach each other, lose answers, get things twice, or crash. How long that goes on is `STEPS` in all;
``HEALING_STEPS`` sets another number.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import exists, select

from activitypub.errors import ProtocolError
from activitypub.statement import Role, Statement
from coop import faces, invitations, joining, posts, projects, statements
from coop.admission import Invitation
from coop.errors import Trouble
from coop.membership import Room, derive
from coop.posts import Draft
from coop.statements import Entry, Membership, Project
from federation.client import Gone, Unreachable
from federation.store import Transaction
from federation.tables import Delivery, Object, Receipt
from tests.between.weather import Weather
from tests.coop.guild import Guild, guild_of
from tests.databases import Files
from tests.fediverse import Fediverse, Studio, key_pair

T = TypeVar("T")

NAMES = ("ada", "bo", "cy", "dee", "eve")
EACH = (200, 500)  # steps until they heal: half of all in troubles that end soon, half in long ones
PLAIN = 2  # examples in which nothing happens, or always the same: with these it begins
STEPS = int(os.environ.get("HEALING_STEPS", "400"))
HEALING = (0.1, 1, 3, 7, 13)  # hours, at the most
LONGEST = timedelta(days=5)  # that the troubles last: for a week what waits for others is held
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - nobody loses anything there
EXPECTED = (Trouble, ProtocolError, Unreachable, Gone)

ANY = some.sampled_from(NAMES)
OFTEN_A_LEAD = some.sampled_from([*NAMES[:3], *NAMES])
ROLES: some.SearchStrategy[Role] = some.sampled_from(["lead", "lead", "usher", "member", "guest"])


@cache
def founded() -> tuple[Path, str, Any]:
    """The databases of five who are in a project together, three of them as its leads: made once, and copied."""
    folder = Path(tempfile.mkdtemp(prefix="boxroom-healing-", dir=MEMORY))

    async def found() -> tuple[str, Any]:
        fediverse = Fediverse(Files(folder))
        guild, members = await guild_of(fediverse, *NAMES[1:])
        for one in members[:2]:
            await guild.ada.does(lambda tx, one=one: projects.give_role(tx, guild.ada.uri, guild.uri, one.uri, "lead"))  # type: ignore[misc]
        await fediverse.settle()
        for one in fediverse.studios.values():
            await one.upkeep.run_errands()
        await fediverse.settle()
        await fediverse.close()
        return guild.uri, fediverse.now

    uri, now = asyncio.run(found())
    return folder, uri, now


def _answers(how: Callable[[Transaction, str, str], None], uri: str, tx: Transaction, me: str) -> None:
    how(tx, me, uri)


def _withdraws(project: str, uri: str, tx: Transaction, me: str) -> None:
    invitations.withdraw(tx, me, project, uri)


def state_of(room: Room) -> tuple[Any, ...]:
    """What a project is, and who is in it or may be."""
    return room.members, room.invitations, room.requests, room.group.json if room.group else None


class Studios(RuleBasedStateMachine):
    """What they do; whatever they may not do is no step that counts against anybody."""

    taken: ClassVar[int] = 0  # steps, in all examples

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        prepared, uri, now = founded()
        folder = Path(self.folder.name)
        for name in NAMES:
            shutil.copy(prepared / f"{name}.db", folder)
        self.weather = Weather(Files(folder), now, folder=folder)
        for name in NAMES:
            self.run(self.weather.opens(name, f"sqlite:///{folder / name}.db"))
        self.guild, self.start = Guild(self.weather, self.at("ada"), uri), now

    def at(self, name: str) -> Studio:
        return self.weather.studios[f"{name}.example"]

    def does(self, name: str, work: Callable[[Transaction, str], object]) -> None:
        """Let somebody do something, if that can be done as they see things."""
        studio = self.at(name)
        with suppress(*EXPECTED):
            self.run(studio.does(lambda tx: work(tx, studio.uri) and None))

    @invariant()
    def has_taken_a_step(self) -> None:
        type(self).taken += 1

    # --- What they do ----------------------------------------------------------------------------------------------

    @rule(by=OFTEN_A_LEAD, whom=ANY, role=ROLES)
    def invites(self, by: str, whom: str, role: Role) -> None:
        there = self.at(whom).uri
        self.does(by, lambda tx, me: invitations.invite(tx, me, self.guild.uri, there, role))

    @rule(who=ANY, accepts=some.sampled_from([True, True, False]))
    def answers(self, who: str, accepts: bool) -> None:
        answer = invitations.accept if accepts else invitations.decline
        for uri in self.invited(who):
            self.does(who, partial(_answers, answer, uri))

    @rule(by=OFTEN_A_LEAD)
    def withdraws(self, by: str) -> None:
        for uri in list(self.run(self.room(by)).invitations)[:1]:
            self.does(by, partial(_withdraws, self.guild.uri, uri))

    @rule(by=OFTEN_A_LEAD, whom=ANY)
    def removes(self, by: str, whom: str) -> None:
        there = self.at(whom).uri
        self.does(by, lambda tx, me: projects.remove(tx, me, self.guild.uri, there))

    @rule(by=OFTEN_A_LEAD, whom=ANY, role=ROLES)
    def gives_a_role(self, by: str, whom: str, role: Role) -> None:
        there = self.at(whom).uri
        self.does(by, lambda tx, me: projects.give_role(tx, me, self.guild.uri, there, role))

    @rule(who=ANY)
    def leaves(self, who: str) -> None:
        self.does(who, lambda tx, me: projects.leave(tx, me, self.guild.uri))

    @rule(by=OFTEN_A_LEAD, name=some.sampled_from(["Atlas", "Maps", "Catalogue"]))
    def renames(self, by: str, name: str) -> None:
        self.does(by, lambda tx, me: projects.edit(tx, me, self.guild.uri, name))

    @rule(by=OFTEN_A_LEAD)
    def moves_the_face(self, by: str) -> None:
        self.does(by, lambda tx, me: faces.move(tx, me, self.guild.uri, key_pair(11)))

    @rule(who=ANY)
    def asks_to_join(self, who: str) -> None:
        self.does(who, lambda tx, me: joining.ask(tx, me, self.guild.uri))

    @rule(who=ANY)
    def speaks(self, who: str) -> None:
        draft = Draft("Is anybody there?", "project", project=self.guild.uri)
        self.does(who, lambda tx, me: posts.publish(tx, me, draft))

    # --- What happens to them --------------------------------------------------------------------------------------

    @rule(one=ANY, other=ANY)
    def cannot_reach(self, one: str, other: str) -> None:
        self.weather.cut.add(frozenset((self.at(one).host, self.at(other).host)))

    @rule(some_=some.sets(ANY, min_size=1, max_size=3))
    def splits(self, some_: set[str]) -> None:
        """Some reach each other and nobody else."""
        for one in some_:
            for other in set(NAMES) - some_:
                self.cannot_reach(one, other)

    @rule()
    def reach_each_other_again(self) -> None:
        self.weather.cut.clear()

    @rule(who=ANY)
    def falls_asleep(self, who: str) -> None:
        self.weather.asleep.add(self.at(who).host)

    @rule(who=ANY)
    def wakes(self, who: str) -> None:
        self.weather.asleep.discard(self.at(who).host)

    @rule(who=ANY, number=some.integers(1, 4))
    def loses_answers(self, who: str, number: int) -> None:
        self.weather.losing[self.at(who).host] = number

    @rule(places=some.sets(some.integers(1, 40), min_size=1, max_size=3))
    def something_comes_again(self, places: set[int]) -> None:
        """Of what was sent last; how much that was may be another when the same is tried again."""
        for request in [self.weather.posted[-one] for one in places if one <= len(self.weather.posted)]:
            with suppress(Exception):
                self.run(self.weather.carry(request))

    @rule(who=ANY)
    def crashes(self, who: str) -> None:
        self.run(self.weather.crashes(who))

    @rule(who=ANY)
    def works(self, who: str) -> None:
        self.run(self.weather.works(self.at(who)))

    @rule(minutes=some.sampled_from([1, 10, 60, 360]))
    def time_passes(self, minutes: int) -> None:
        if self.weather.now - self.start + timedelta(minutes=minutes) < LONGEST:
            self.run(self.weather.goes_on(60 * minutes))

    # --- And then --------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            self.heals()
        finally:
            self.run(self.weather.close())
            self.runner.close()
            self.folder.cleanup()

    def heals(self) -> None:
        """Everybody is awake and reaches everybody: after a while, who is in the project has the same of it.

        Who that is follows from all that anybody said. Who is out by that need not know: what was said after a removal
        is not for the removed, and in a quarrel of leads it may decide whether the removal stands. Once they agree and
        nothing is under way, time changes nothing any more.
        """
        self.weather.cut.clear()
        self.weather.asleep.clear()
        self.weather.losing.clear()
        for hours in HEALING:
            self.run(self.weather.goes_on(3600 * hours))
            if self.run(self.is_at_rest()) and self.is_agreed():
                break
        self.agrees()
        for name in NAMES:
            self.run(self.is_in_itself_consistent(name))

    def is_agreed(self) -> bool:
        try:
            self.agrees()
        except AssertionError:
            return False
        return True

    def agrees(self) -> None:
        """Raise `AssertionError` unless all who are in the project have the same of it."""
        rooms = {name: self.run(self.room(name)) for name in NAMES}
        told = {hash_: one for name in NAMES for hash_, one in self.run(self.said(name)).items()}
        truth = derive(told.values(), rooms["ada"].fingerprint)
        inside = [name for name in NAMES if self.at(name).uri in truth.members]
        assert inside, "nobody is in it any more"
        for name in inside:
            assert state_of(rooms[name]) == state_of(truth)
            assert rooms[name].heads == rooms[inside[0]].heads
            assert self.run(self.log(name)) == self.run(self.log(inside[0]))
            assert self.run(self.remembered(name)) == self.run(self.remembered(inside[0]))

    async def is_at_rest(self) -> bool:
        """Whether nobody has anything to deliver, to work through, or that waits for something else."""
        under_way = (Delivery.state == "waiting", Receipt.state == "waiting", Entry.held)
        for name in NAMES:
            store = self.at(name).instance.store
            if await store.read(lambda db: any(db.scalar(select(exists().where(one))) for one in under_way)):
                return False
        return True

    def invited(self, who: str) -> list[str]:
        studio = self.at(who)
        mine = invitations.invitations_for(studio.uri, self.weather.now).with_only_columns(Invitation.uri)
        return self.run(studio.instance.store.read(lambda db: list(db.scalars(mine))))

    async def room(self, name: str) -> Room:
        store = self.at(name).instance.store
        return await store.read(lambda db: statements.room_of(db, statements.at(db, self.guild.uri)))

    async def said(self, name: str) -> dict[str, Statement]:
        store = self.at(name).instance.store
        return await store.read(lambda db: statements.said_in(db, statements.at(db, self.guild.uri)))

    async def log(self, name: str) -> set[tuple[str, bool]]:
        rows = select(Entry.hash, Entry.held)
        return await self.at(name).instance.store.read(lambda db: {(row[0], row[1]) for row in db.execute(rows)})

    async def remembered(self, name: str) -> tuple[Any, ...]:
        """What queries find of it."""

        def read(db: Any) -> tuple[Any, ...]:
            who = {(row.member, row.role, row.capability) for row in db.scalars(select(Membership))}
            [project] = db.scalars(select(Project))
            return who, project.name, project.summary, project.public, project.face

        return await self.at(name).instance.store.read(read)

    async def is_in_itself_consistent(self, name: str) -> None:
        """What queries find is what follows from the log, and nothing was taken twice."""
        room = await self.room(name)
        who, *_ = await self.remembered(name)
        assert who == {(uri, one.role, one.since) for uri, one in room.members.items()}
        said = await self.at(name).knows(Object)
        assert len({row.uri for row in said}) == len(said)


@pytest.mark.proves("P-253", "P-254", "P-333")
@pytest.mark.timeout(60 + STEPS)
@pytest.mark.parametrize("each", [pytest.param(one, marks=pytest.mark.xdist_group(f"healing-{one}")) for one in EACH])
def test_shows_coop_1_five_studios_agree_once_they_reach_each_other_again(each: int) -> None:
    steps = max(1, STEPS // len(EACH))
    each = min(each, steps)
    bounded = settings(
        max_examples=PLAIN + -(-steps * 8 // (each * 5)),  # some end early: chance runs out before the steps do
        stateful_step_count=each + 1,  # to open is one
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    Studios.taken = 0

    run_state_machine_as_test(Studios, settings=bounded)

    assert Studios.taken >= steps
