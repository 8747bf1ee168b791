"""The demo from beginning to end: the studios open, the story is told, and they stay open until somebody says stop."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from boxroom import logs
from boxroom.demo import losing, meeting, promising, sharing, signing, sleeping, stage, talking, vouching, working
from boxroom.demo.stage import Stage
from boxroom.demo.story import Chapter, Story
from boxroom.demo.studio import PASSWORD
from boxroom.demo.telling import Teller

CHAPTERS: tuple[tuple[str, Chapter], ...] = (
    ("They say who they are", meeting.introduce),
    ("They find each other", meeting.follow_each_other),
    ("They talk", talking.talk),
    ("A picture goes around", talking.pass_on),
    ("Some words are taken back, and some are for one person only", talking.think_better_of_it),
    ("Pia needs help with a client", working.find_somebody),
    ("They vouch for each other", vouching.vouch),
    ("One word too many", vouching.take_back),
    ("A room of their own", sharing.found),
    ("What is said there stays there", sharing.use),
    ("Ada promises something, and keeps it", promising.promise),
    ("A promise that needs no server", sleeping.prove_offline),
    ("Bo's server sleeps, and wakes", sleeping.wait_for_bo),
    ("A studio is gone for ever", losing.lose_ivo),
    ("Somebody tries a forgery", signing.forge),
    ("The mail is counted", signing.count),
)


async def play(folder: Path, patience: float, *, once: bool) -> bool:
    """Tell the story in studios below `folder`; unless only `once`, leave them open until a signal. Did it come true?

    A fact that does not hold within `patience`, in seconds, does not hold.
    Raise `asyncio.CancelledError` if a signal ends it before its end.
    """
    logs.configure("error")
    teller = Teller()
    teller.chapter("Four studios open, each with its own server, keys and database")
    with _stopped_by_signals():
        async with stage.opened(folder) as place:
            for one in place.everyone:
                teller.act(f"{one.person.name}, {one.person.where}: {one.here.home}")
            teller.aside(
                f"It took {teller.seconds:.1f} s. Times below: from the act until it is there, in the other studio."
            )
            story = Story(place, teller, patience)
            await story.play(CHAPTERS)
            if once:
                teller.summary(story.chapters)
            else:
                teller.total(story.outcomes)
                await _stay(place, teller, folder)
    return story.came_true


async def _stay(place: Stage, teller: Teller, folder: Path) -> None:
    teller.chapter("The studios stay open: visit them")
    for one in place.everyone:
        teller.act(f"{one.person.name:<18} {one.page}")
    names = ", ".join(one.person.handle for one in place.everyone)
    teller.aside(f"Go in at /login as {names}, with the password “{PASSWORD}”.")
    teller.aside(f"From another terminal: {_program()} feed --data {folder / 'ada'}")
    teller.aside("Ctrl-C closes them.")
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    teller.act("The four studios close. Good night.")


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Cancel the running task, once, when we are told to stop: then everything is put away in order."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - we are running
    told: list[int] = []

    def stop(number: int) -> None:
        if not told:
            task.cancel()
        told.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _program() -> str:
    """How to call us from here: ``make demo`` installs no command."""
    return "boxroom" if shutil.which("boxroom") else f"{os.path.relpath(sys.executable)} -m boxroom"
