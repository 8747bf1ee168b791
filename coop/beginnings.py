"""From an agreement to a project in one step: the other is invited, and finds there what was agreed on."""

from __future__ import annotations

from activitypub.statement import MAX_TEXT
from coop import agreements, invitations, projects
from coop.accounts import KeyPair
from coop.errors import Conflict
from coop.statements import Project
from federation.store import Transaction


def open_project(tx: Transaction, account: str, uri: str, name: str, pair: KeyPair) -> Project:
    """Found a project for what was agreed, and invite the other party.

    Everybody may read what a project says of itself, so the terms are not in there. Raise `NotFound` for an agreement
    to which `account` is no party, `Conflict` if it has a project already, and as `projects.create` does.
    """
    row = agreements.at(tx.db, uri, account)
    if row.project is not None:
        raise Conflict(f"there is a project for it already: {row.project}")
    project = projects.create(tx, account, name, "", pair)
    row.project = project.uri
    words = f"For what we agreed on: {row.uri} {agreements.words_of(row)}"
    invitations.invite(tx, account, project.uri, row.other(account), text=words[:MAX_TEXT])
    return project
