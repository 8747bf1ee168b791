"""Somebody asks to be vouched for: a direct post that programs understand, too.

What it asks is one property of an ordinary note, since every server shows a direct post, and most drop activities that
they do not know (P-200, P-201). So it is one object under one id, which its author takes back with one ``Delete``.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final, Self

from activitypub import html
from activitypub.document import Document, Json
from activitypub.endorsement import MAX_CONTENT, MAX_SKILL, MAX_SKILLS
from activitypub.errors import Malformed

PROPERTY: Final = "endorsementRequest"


@dataclass(frozen=True, slots=True)
class EndorsementRequest:
    """`skills` are one to five, `text` is clean HTML, `work` the URL of what was done together."""

    skills: tuple[str, ...]
    text: str = ""
    work: str | None = None

    @classmethod
    def read(cls, note: Document) -> Self:
        """What a note asks. Raise `Malformed` if it names no skill; what is odd in the rest is left out."""
        said = note.embedded(PROPERTY) or Document({})
        lines = (html.single_line(one, MAX_SKILL) for one in said.strings("skill"))
        skills = tuple(dict.fromkeys(one for one in lines if one))[:MAX_SKILLS]
        if not skills:
            raise Malformed("whoever asks for an endorsement names a skill")
        return cls(
            skills=skills,
            text=_bounded(html.clean(said.text("content"))),
            work=html.safe_url(said.uri("context")),
        )

    def write(self) -> Json:
        """The property. Raise `Malformed` unless all of it is what an endorsement could say."""
        lines = tuple(html.single_line(one, MAX_SKILL) for one in self.skills)
        if not 1 <= len(self.skills) <= MAX_SKILLS or lines != self.skills or not all(lines):
            raise Malformed(f"name one to {MAX_SKILLS} skills of up to {MAX_SKILL} characters")
        if len(self.text) > MAX_CONTENT:
            raise Malformed(f"say it in at most {MAX_CONTENT:,} characters")
        if self.work is not None and html.safe_url(self.work) is None:
            raise Malformed(f"{self.work[:200]} is no web address")
        return {"skill": [*self.skills], "content": self.text, **({"context": self.work} if self.work else {})}


def content(asked: EndorsementRequest, name: str, handle: str, profile: str) -> str:
    """The note's HTML, for whoever has other software. `name` is of the one who asks, the others of who is asked."""
    mention = f'<a href="{escape(profile)}" class="u-url mention">@<span>{escape(handle)}</span></a>'
    skills = " and ".join(f"<strong>{escape(one)}</strong>" for one in asked.skills)
    what = f"would you vouch for me? {escape(name)} asks you to say what you have seen of {skills}."
    shown = f'<p><a href="{escape(asked.work)}">{escape(asked.work.partition("://")[2])}</a></p>' if asked.work else ""
    plain = "<p>With Boxroom you can sign it, so that others can check it; a few words in answer are welcome, too.</p>"
    return f'<p><span class="h-card">{mention}</span> {what}</p>{asked.text}{shown}{plain}'


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_CONTENT else html.clean(html.beginning(text, MAX_CONTENT))
