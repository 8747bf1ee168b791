"""How much a studio can take in: accepted and settled per CPU second, and how long the slowest waited."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Load, activities, send_all
from benchmarks.programs import Program, hosts, running
from benchmarks.wire import World

ACTIVITIES = 3_000
BEFORE = 600  # of all kinds, not counted: a server runs for weeks, and what it does once is no part of its pace
SENDERS = 20
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Taken:
    """What one program took: activities per CPU second until all were answered, and until all were worked through."""

    accepted: float
    settled: float
    per_second: float
    tail: float  # p99 over the median, at half of what it can take


def measure(module: str, port: int, folder: Path) -> Taken:
    world = World(SENDERS, 23_000, folder)
    with hosts(world), running(module, port, folder / f"{module}-{secrets.token_hex(3)}") as program:
        _send(program, world, [(one, _first(world, one, program)) for one in range(SENDERS)])  # it knows them, then
        _send(program, world, activities(world, BEFORE, program.actor, secrets.token_hex(3)))
        program.rest()
        requests = world.all_signed(program.inbox, activities(world, ACTIVITIES, program.actor, secrets.token_hex(3)))
        before = program.cpu()
        load = asyncio.run(send_all(port, requests, CONNECTIONS))
        answered = program.cpu() - before
        program.rest()
        settled = program.cpu() - before
        if load.accepted != len(requests):
            raise SystemExit(f"{module} answers {load.statuses}")
        rate = load.accepted / load.seconds
        return Taken(load.accepted / answered, load.accepted / settled, rate, _tail(program, world, rate / 2))


def _tail(program: Program, world: World, rate: float) -> float:
    """At a steady `rate` a second."""
    some = activities(world, int(min(ACTIVITIES, rate * 3)), program.actor, secrets.token_hex(3))
    load = asyncio.run(send_all(program.port, world.all_signed(program.inbox, some), CONNECTIONS, rate))
    return load.latency(0.99) / load.latency(0.5)


def _send(program: Program, world: World, some: list[tuple[int, dict[str, object]]]) -> Load:
    return asyncio.run(send_all(program.port, world.all_signed(program.inbox, some), 8))


def _first(world: World, actor: int, program: Program) -> dict[str, object]:
    name = f"first-{secrets.token_hex(4)}"
    return world.activity(actor, "Create", name, world.note(actor, name, program.actor))
