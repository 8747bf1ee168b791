"""The public face of a project, on its founder's server: what its followers see of it (P-250, P-269)."""

from __future__ import annotations

from activitypub import audience, context
from activitypub.document import Document
from activitypub.origin import origin
from coop import access, follows, projects, reactions, statements
from coop.events import Grown, Shown, listens
from federation import ids, known, outbox
from federation.store import Transaction


@listens(Shown)
def boost(tx: Transaction, event: Shown) -> None:
    """Show the project's followers what one of its members publishes for it."""
    row = event.object
    if event.boosted_by or row.visibility not in access.EVERYBODY:
        return
    for uri in Document(row.document).uris("audience"):
        project = statements.find(tx.db, uri)
        if project and known.is_local(tx.db, uri) and projects.may_post(tx.db, uri, row.author):
            reactions.boost(tx, uri, row.uri)


@listens(Grown)
def update(tx: Transaction, event: Grown) -> None:
    """Let the actor say what a lead has stated, of what is for a lead to state: never its keys or addresses (P-028)."""
    project = statements.at(tx.db, event.project)
    if origin(project.uri) != origin(tx.home) or not any(one.kind == "update" for one in event.statements):
        return
    actor = known.actor(tx.db, project.uri)
    stated = {"name": project.name, "summary": project.summary, "discoverable": project.public}
    actor.name, actor.document = project.name, {**actor.document, **stated}
    tx.db.flush()
    addressed = audience.addressed("public", actor.followers)
    said = {"id": f"{actor.uri}#updates/{ids.slug(ids.new(tx.now))}", "type": "Update", "actor": actor.uri, **addressed}
    inner = {name: value for name, value in actor.document.items() if name != "@context"}
    activity = {"@context": context.UPDATE_ACTOR, **said, "object": inner}
    outbox.publish(tx, activity, also=follows.followers(actor.uri), collapse=True)
