"""An endorsement to hand on: a page that needs nothing but itself, and a sheet for the printer (P-243).

Neither is proof of anything, being words that anybody could write. So each carries what is: the signed original, and on
paper the address of it, which names it by its hash.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import segno
from markupsafe import Markup
from sqlalchemy.orm import Session

from activitypub.document import Json
from coop import verdicts
from coop.endorsements import Endorsement
from federation.instance import Instance
from web import rendering, shown

Form = Literal["html", "print"]
_QUIET = 4  # modules of white around a code, or scanners miss it (ISO/IEC 18004)


def write(db: Session, here: Instance, row: Endorsement, form: Form) -> str:
    """An endorsement that holds as one HTML file. Raise `coop.errors.Trouble` if it does not hold."""
    now = here.now()
    verdicts.check_holds(db, row, now)
    [seal] = shown.seals(db, [(row, verdicts.verdict_offline(db, row, now))], here.home)
    url = seal.page or seal.said.note
    values = {"seal": seal, "url": url, "hash": row.hash, "copy": _readable(verdicts.bundle(db, row))}
    return rendering.render(here, f"certificates/{form}.html", **values, code=_code(url) if form == "print" else None)


def _readable(copy: Json) -> str:
    """What is signed is the same, however it is indented."""
    return msgspec.json.format(msgspec.json.encode(copy), indent=2).decode()


def _code(url: str) -> Markup:
    """A QR code that a browser draws; whoever cannot see it has the address beside it."""
    drawn = segno.make(url, error="m", micro=False)
    return Markup(drawn.svg_inline(border=_QUIET, omitsize=True, svgclass="code", lineclass=None))  # noqa: S704 - ours
