"""Interest that people show in an offer whose software knows of none: their replies, likes and boosts (P-228).

A reply may be meant as a response: it stands among them, and is answered with a direct post. A like or a boost is no
more than a sign, which whoever made the offer sees.
"""

from __future__ import annotations

from sqlalchemy import Select, select, update

from activitypub import html
from coop import offers, responses
from coop.events import Erased, Shown, listens
from coop.offers import Offer
from coop.reactions import Reaction
from coop.responses import Response
from federation import known
from federation.store import Transaction


@listens(Shown)
def consider(tx: Transaction, event: Shown) -> None:
    """A reply to an open offer of ours may be meant as a response; its author decides (P-228). Told of as a reply."""
    reply = event.object
    offer = offers.find(tx.db, reply.reply_to) if reply.reply_to and event.boosted_by is None else None
    if offer is None or offer.author == reply.author or offer.status(tx.now) != "open":
        return
    if not known.is_local(tx.db, offer.author) or responses.is_open(tx.db, reply.author, offer):
        return
    text = html.clean(reply.said.text("content"))
    row = responses.new(tx, offer, reply.uri, reply.author, offer.author, text, "reply", reply.published)
    responses.replace_earlier(tx, row)


@listens(Erased)
def forget(tx: Transaction, event: Erased) -> None:
    """Whoever deletes their reply takes the response back."""
    if event.object.reply_to is None:
        return
    gone = (Response.uri == event.object.uri, Response.via == "reply")
    tx.db.execute(update(Response).where(*gone, Response.state == "open").values(state="withdrawn"))
    tx.db.execute(update(Response).where(*gone).values(text=""))


def shown_in(offer: Offer) -> Select[Reaction]:
    """The likes and boosts of an offer, the first of them first."""
    return select(Reaction).where(Reaction.object == offer.id, Reaction.actor != offer.author).order_by(Reaction.id)
