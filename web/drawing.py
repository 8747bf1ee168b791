"""The map of a co-op as a picture: whoever looks at it in the middle, the others around, lines for what they share.

The same people in the same order always stand in the same places. Nothing here is markup: the template writes that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, radians, sin

from web.shown import Person

SIZE, RING = 800, 235  # of the picture, and from its middle to those around
MIDDLE = SIZE // 2
LARGEST = 20  # radius of a face
AWAY = 10  # from a face to its name
BENT = 0.35  # how far a line leans to the middle
LONGEST = 18  # characters of a name that have room
KINDS = ("works", "vouches", "follows")  # the firmest first: of two people one line is drawn

Ties = Mapping[frozenset[str], str]  # the kind, by the two


@dataclass(frozen=True, slots=True)
class Spot:
    """Where somebody stands; the name is written away from the middle, from its end on the left side."""

    person: Person
    x: int
    y: int
    name: str
    name_x: int
    name_y: int
    turn: int  # degrees
    on_left: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """`lines` are what SVG draws for each kind of tie, as one path."""

    me: Person
    spots: tuple[Spot, ...]
    lines: dict[str, str]
    radius: int


def draw(me: Person, people: Sequence[Person], ties: Ties) -> Picture:
    """Those who have to do with each other stand beside each other as far as that goes."""
    order = _ordered([one.uri for one in people], ties)
    known = {one.uri: one for one in people}
    step = 360 / max(len(order), 1)
    spots = tuple(_spot(known[uri], number * step) for number, uri in enumerate(order))
    places = {one.person.uri: (one.x, one.y) for one in spots} | {me.uri: (MIDDLE, MIDDLE)}
    radius = min(LARGEST, int(pi * RING / max(len(order), 1)) - 1)
    return Picture(me, spots, {kind: _path(kind, ties, places) for kind in KINDS}, radius)


def _ordered(people: Sequence[str], ties: Ties) -> list[str]:
    """After each comes whoever has most to do with the last ones; of equals, who comes first in `people`."""
    left, found = [*people], list[str]()
    near: Counter[str] = Counter()
    while left:
        chosen = max(left, key=lambda uri: near[uri])
        left.remove(chosen)
        found.append(chosen)
        near = Counter({uri: near[uri] // 2 + 4 * (frozenset((uri, chosen)) in ties) for uri in left})
    return found


def _spot(person: Person, angle: float) -> Spot:
    """`angle` is in degrees, from the top, as clocks go."""
    across, down = sin(radians(angle)), -cos(radians(angle))
    on_left = round(across, 6) < 0
    x, y = MIDDLE + RING * across, MIDDLE + RING * down
    far = RING + LARGEST + AWAY
    turn = round(angle) + (90 if on_left else -90)
    name = person.name if len(person.name) <= LONGEST else f"{person.name[: LONGEST - 1].rstrip()}…"
    return Spot(
        person, round(x), round(y), name, round(MIDDLE + far * across), round(MIDDLE + far * down), turn, on_left
    )


def _path(kind: str, ties: Ties, places: Mapping[str, tuple[int, int]]) -> str:
    pairs = sorted(sorted(places[uri] for uri in pair) for pair, found in ties.items() if found == kind)
    return "".join(_line(*one, *other) for one, other in pairs)


def _line(x: int, y: int, to_x: int, to_y: int) -> str:
    """Straight to the middle; between two on the ring, bent towards it."""
    between_x, between_y = (x + to_x) / 2, (y + to_y) / 2
    if (MIDDLE, MIDDLE) in ((x, y), (to_x, to_y)):
        return f"M{x} {y}L{to_x} {to_y}"
    lean_x, lean_y = between_x + BENT * (MIDDLE - between_x), between_y + BENT * (MIDDLE - between_y)
    return f"M{x} {y}Q{lean_x:.0f} {lean_y:.0f} {to_x} {to_y}"


def firmest(kinds: Iterable[str]) -> str:
    """Which of several kinds of tie is drawn."""
    return min(kinds, key=KINDS.index)
