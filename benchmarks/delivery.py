"""How fast a post reaches its followers: on many hosts, while some of them hang, and through a SIGKILL."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from activitypub import keys
from benchmarks.load import send_all
from benchmarks.programs import Hosts, Program, hosts, running, start
from benchmarks.wire import World

PATIENCE = 90.0  # seconds that a fan-out may take before it counts as failed
MOST = 0.95  # of the healthy hosts
ROUNDS = 5  # fan-outs, of which the middle one counts


@dataclass(frozen=True, slots=True)
class FanOut:
    """Deliveries a second until all hosts had a post; seconds until most healthy ones had it while a tenth hung."""

    per_second: float
    undisturbed: float
    disturbed: float


@dataclass(frozen=True, slots=True)
class Killed:
    """What a SIGKILL in the middle did."""

    reached_before: int
    lost: int
    repeated: int


def measure(module: str, port: int, folder: Path, size: int) -> FanOut:
    world = World(size, 24_000, folder)
    with hosts(world) as remote, running(module, port, folder / f"{module}-{size}-{secrets.token_hex(3)}") as program:
        follow(program, world)
        spread(program, remote, size)  # connections and caches are as on an ordinary day
        took = median(spread(program, remote, size)[0] for _ in range(ROUNDS))
        undisturbed = median(spread(program, remote, size - size // 10)[1] for _ in range(ROUNDS))
        remote.behave(hanging=size // 10)
        _, disturbed = spread(program, remote, size - size // 10)
    return FanOut(size / took, undisturbed, disturbed)


def follow(program: Program, world: World) -> None:
    """One actor of each host follows the program's."""
    run = secrets.token_hex(3)
    wishes = [(one, world.activity(one, "Follow", f"f{run}", program.actor)) for one in range(world.size)]
    load = asyncio.run(send_all(program.port, world.all_signed(program.inbox, wishes), 16))
    if load.accepted != world.size:
        raise SystemExit(f"{program.module} answers follows with {load.statuses}")
    program.rest()


def spread(program: Program, remote: Hosts, expected: int) -> tuple[float, float]:
    """Seconds from publishing until all expected hosts had the post, and until most of them had it."""
    began = time.time()
    activity = program.publish()
    if not remote.wait_for(activity, expected, PATIENCE):
        raise SystemExit(f"{program.module} reached too few hosts in {PATIENCE:.0f} s")
    first = sorted(times[0] for times in remote.arrivals(activity).values())
    return first[expected - 1] - began, first[int(expected * MOST) - 1] - began


def kill(port: int, folder: Path, size: int) -> Killed:
    """SIGKILL Boxroom when four tenths of the hosts have a post, start it again, and count."""
    world, home = World(size, 24_000, folder), folder / f"killed-{secrets.token_hex(3)}"
    with hosts(world) as remote:
        program = start("benchmarks.studio", port, home)
        follow(program, world)
        remote.behave(hanging=size // 4, delay=5)  # so that most of it is under way
        activity = program.publish()
        remote.wait_for(activity, size - size // 4, PATIENCE)
        time.sleep(1)  # what was answered is written down by then
        program.kill()
        reached = remote.tell(do="count", activity=activity)
        remote.behave()
        with running("benchmarks.studio", port, home):
            remote.wait_for(activity, size, PATIENCE)
            time.sleep(1)  # a repeat would come now
            times = remote.arrivals(activity)
    return Killed(reached, size - len(times), sum(len(one) - 1 for one in times.values()))


def signing_rate() -> float:
    """RSA-2048 signatures that one core makes in a second."""
    key, padding, algorithm = keys.new_rsa(), PKCS1v15(), SHA256()
    count, began = 0, time.process_time()
    while time.process_time() - began < 1:
        key.sign(b"x" * 300, padding, algorithm)
        count += 1
    return count
