"""A small internet of its own on this machine: host names, addresses that count as public, and Caddy as it is deployed.

It is a network namespace without a way out, so whose the addresses are elsewhere does not matter; names are in a hosts
file of its own; the certificates are of a made-up authority of Caddy's, which our program is told of as an operator
would, by SSL_CERT_FILE.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.boxroom.house import PATIENCE, House

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
ADDRESSES = {"attic.example": "11.0.0.1", "shop.example": "11.0.0.2", "cellar.example": "192.168.7.7"}
_BUILD = """
set -e
ip link set lo up
for address in "${@:2}"; do ip address add "$address/32" dev lo; done
mount --bind "$1" /etc/hosts
echo ready
exec sleep infinity
"""
_OPTIONS = """{{
	admin off
	default_bind {address}
	local_certs
	skip_install_trust
}}
"""


def lacking() -> str:
    """What is not here that a land is made of, in words; empty if everything is."""
    missing = [name for name in ("caddy", "curl", "ip", "nsenter") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} is not installed"
    return "" if _unshare() else "nobody may make a network namespace here"


def _unshare() -> list[str]:
    for command in (["unshare", "--net", "--mount"], ["unshare", "--map-root-user", "--net", "--mount"]):
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return []


@dataclass(frozen=True, slots=True)
class Land:
    """`within` is the command that runs another in there."""

    folder: Path
    within: list[str] = field(default_factory=list)

    @property
    def authority(self) -> Path:
        return self.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    def runs(self, *command: str, body: bytes = b"") -> str:
        """What a command prints in there; it has to succeed."""
        done = subprocess.run([*self.within, *command], input=body, capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout.decode()

    def asks(self, *arguments: str, body: bytes = b"") -> str:
        """What curl prints of an answer over HTTPS."""
        return self.runs("curl", "--silent", "--show-error", "--cacert", str(self.authority), *arguments, body=body)

    @contextmanager
    def caddy(self, host: str, port: str, file: str = "", ready: str = "") -> Iterator[None]:
        """Caddy at the address of `host`, with the file that is deployed if no other is given, until left.

        It is there once curl has an answer from `ready`, or as far as it gets: ``7`` says that nobody listens,
        ``35`` that there is no certificate yet.
        """
        config = self.folder / f"{host}.caddy"
        config.write_text(_OPTIONS.format(address=ADDRESSES[host]) + (file or (DEPLOY / "Caddyfile").read_text()))
        folders = {"XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        surroundings = {**os.environ, "STUDIO": host, "BOXROOM": f"127.0.0.1:{port}", **folders}
        command = [*self.within, "caddy", "run", "--adapter", "caddyfile", "--config", str(config)]
        with config.with_suffix(".log").open("w") as log:
            process = subprocess.Popen(command, env=surroundings, stderr=log)
        try:
            self._wait_for(ready or f"https://{host}/", log=config.with_suffix(".log"))
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)

    def _wait_for(self, url: str, log: Path) -> None:
        command = [*self.within, "curl", "--silent", "--insecure", "--output", "/dev/null", url]
        end = time.monotonic() + PATIENCE
        while subprocess.run(command, check=False).returncode in (7, 35):
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)


@contextmanager
def land(folder: Path) -> Iterator[Land]:
    """A land that lasts until left."""
    hosts = folder / "hosts"
    hosts.write_text(
        "".join(f"{address} {name}\n" for name, address in {"localhost": "127.0.0.1", **ADDRESSES}.items())
    )
    unshare = _unshare()
    command = [*unshare, "bash", "-c", _BUILD, "bash", str(hosts), *ADDRESSES.values()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as keeper:
        try:
            assert keeper.stdout is not None
            assert keeper.stdout.readline() == "ready\n"
            whose = ["--user", "--preserve-credentials"] if "--map-root-user" in unshare else []
            within = ["nsenter", "--target", str(keeper.pid), "--net", "--mount", f"--wd={ROOT}", *whose, "--"]
            made = Land(folder, within)
            with made.caddy("attic.example", "8000"):
                pass  # so that there is an authority
            yield made
        finally:
            keeper.kill()


@dataclass(frozen=True, slots=True)
class Home(House):
    """A studio in a land, run as docs/operating.md says: no setting is there for the sake of the test."""

    land: Land = field(kw_only=True)
    at: str = field(kw_only=True)

    @property
    def port(self) -> str:
        return self.at

    @property
    def program(self) -> list[str]:
        return [*self.land.within, sys.executable, "-m", "boxroom"]

    @property
    def environment(self) -> dict[str, str]:
        return {"BOXROOM_DATA": str(self.folder), "SSL_CERT_FILE": str(self.land.authority)}

    def reaches(self, *arguments: str) -> str:
        """Run a command that asks other servers, as a process in the land; it has to succeed."""
        done = self.tries(*arguments)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout.strip()

    def tries(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        surroundings = {**os.environ, **self.environment, **environment}
        command = [*self.program, *arguments]
        return subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=PATIENCE, check=False)
