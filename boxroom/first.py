"""The first run: where there is no studio yet, pages are served in which somebody founds one (`web.first`)."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import idna
import msgspec

from activitypub.origin import host
from boxroom import doctor, founding, reach, server
from boxroom.assemble import now
from boxroom.cli.desk import EXPECTED, in_words
from boxroom.folder import DRAFT
from boxroom.founding import Founding
from boxroom.settings import PREFIX, Settings, Wrong, load
from coop.errors import Trouble
from web.first import app, draft
from web.first.beginning import Beginning, Verdict
from web.first.draft import Draft

URL = f"{PREFIX}URL"
NOWHERE = "https://nowhere.invalid"  # the address, as long as there is none


@dataclass(frozen=True, slots=True)
class Plot:
    """The ground on which the studio will stand: its folder, the port that is listened at, and the environment."""

    data: Path
    port: int
    environment: Mapping[str, str]

    @property
    def trial(self) -> str:
        return f"http://localhost:{self.port}"

    def home(self, typed: str) -> str:
        try:
            home = self.settings(typed if "://" in typed else f"https://{typed}").url
        except Wrong as error:
            raise Trouble(str(error)) from error
        home = _as_it_travels(home)
        fixed = self.environment.get(URL)
        if fixed and home != self.settings(fixed).url:
            raise Trouble(
                "the environment says that %(name)s is %(value)s: take that one, or start again without it",
                name=URL,
                value=fixed,
            )
        return home

    def settings(self, home: str) -> Settings:
        """What the environment says, for a studio at `home`."""
        settings = load(self.data, {**self.environment, URL: home})
        is_private = settings.allow_private_network or draft.is_for_trying_out(settings.url)
        return msgspec.structs.replace(settings, allow_private_network=is_private)

    async def look(self, home: str, mark: str) -> list[Verdict]:
        here = (doctor.permissions(self.data), doctor.space(shutil.disk_usage(self.data).free))
        async with reach.asking(now) as client:
            found = await reach.door(client, home, self.settings(home), now())
            if not reach.is_stuck(found):
                found.append(await reach.comes_back(client, home, mark))
        return [*(astuple(one) for one in here), *found]

    def kept(self) -> Draft:
        """What was typed in a run before this one."""
        with suppress(OSError):
            return draft.read((self.data / DRAFT).read_bytes())
        return Draft(url=self.environment.get(URL, ""))

    def keep(self, typed: Draft) -> None:
        with suppress(OSError):  # then it is remembered for as long as this process runs
            (self.data / DRAFT).write_bytes(draft.write(typed))

    async def found(self, beginning: Beginning, link: str) -> None:
        typed = beginning.draft
        wanted = Founding(
            typed.url,
            typed.handle,
            typed.name,
            typed.kind,
            beginning.password,
            beginning.recovery,
            beginning.codes,
            link,
            try_out=draft.is_for_trying_out(typed.url),
        )
        try:
            await founding.found(self.data, wanted)
        except EXPECTED as error:
            raise Trouble(in_words(error)) from error


async def run(data: Path, listener: socket.socket) -> bool:
    """Serve those pages until a studio is founded, or a signal says to stop; return whether one was founded."""
    plot = Plot(data, listener.getsockname()[1], os.environ)
    settings = plot.settings(os.environ.get(URL, NOWHERE))
    server.configure_logs(settings)
    beginning = Beginning(plot, plot.kept(), now)
    pages = server.Server(app.create(beginning, settings.trusted_proxies), partial(_invite, data, beginning.key))
    beginning.end = partial(setattr, pages, "should_exit", True)
    await pages.serve([listener.dup()])  # what it closes; whoever comes meanwhile waits for the studio
    for number in server.SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)
    return beginning.is_founded and not pages.is_told_to_stop


def _as_it_travels(home: str) -> str:
    """The address as browsers and servers ask for it: the name in ASCII, no port that goes without saying."""
    name = urlsplit(home).hostname or ""
    if draft.is_number(name):
        return home
    try:
        written = idna.encode(name.rstrip("."), uts46=True).decode()
    except idna.IDNAError as error:
        raise Trouble("no server can be called %(name)s", name=name) from error
    return f"{home.partition('://')[0]}://{host(home).replace(name, written, 1)}"


def _invite(data: Path, key: str, address: str) -> None:
    near = address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    print(f"There is no studio in {data} yet. Set it up in a browser on this machine, within half an hour:")
    print(f"{near}/first?key={key}")
    print(f"Or, if a proxy leads here already: https://YOUR-NAME/first?key={key}", flush=True)
