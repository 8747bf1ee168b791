"""Who lives in the studios of the demo. None of them exists, nor do their towns."""

from __future__ import annotations

from dataclasses import dataclass

from coop.accounts import Kind


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a studio of their own."""

    handle: str
    name: str
    where: str
    bio: str
    skills: tuple[str, ...]
    availability: str
    kind: Kind = "person"

    @property
    def first(self) -> str:
        """What the others call them."""
        return self.name.partition(" ")[0]


ADA = Person(
    "ada",
    "Ada Loopwell",
    "a developer in an attic",
    "I build small websites that load before the kettle boils. The attic has **one window and two cats**.",
    ("Web development", "Accessibility"),
    "Two days a week from January",
)
BO = Person(
    "bo",
    "Bo Inkpenny",
    "a designer above a shop",
    "Signs, letters, labels. *Studio Inkpenny* is the room above the button shop; mind the third stair.",
    ("Lettering", "Identity"),
    "Booked until the snow melts",
    "studio",
)
GUS = Person(
    "gus",
    "Gus Quillfeather",
    "a copywriter in a garage",
    "Short sentences for long winters. I write in the garage because the car moved out.",
    ("Copywriting", "Naming"),
    "Mornings, always",
)
PIA = Person(
    "pia",
    "Pia Cornerstone",
    "a planner in a box room",
    "I find out what a client needs before anybody draws anything. My office is the box room; it holds *one* idea.",
    ("Strategy", "Research"),
    "One project at a time",
)
IVO = Person(  # a guest, who does not stay
    "ivo",
    "Ivo Paperkite",
    "a printer on a barge",
    "I print whatever the river brings. The barge leaks a little, on the left.",
    ("Printing",),
    "Until the water rises",
)
CAST = (ADA, BO, GUS, PIA)
