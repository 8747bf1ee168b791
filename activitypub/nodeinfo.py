"""NodeInfo: what runs here and how many use it, for directories and curious neighbours (FEP-f1d5, FEP-0151)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from activitypub.document import Json

Version = Literal["2.0", "2.1"]

RELEASE = "0.1.0"  # as in pyproject.toml
SOFTWARE = "boxroom"
_SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
_INSTANCE_ACTOR = "https://www.w3.org/ns/activitystreams#Application"  # FEP-2677


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of local accounts, of those active in the last 30 and 180 days, and of public posts and replies."""

    accounts: int
    active_month: int
    active_half_year: int
    posts: int
    replies: int


def media_type(version: Version) -> str:
    return f'application/json; profile="{_SCHEMA}{version}#"'


def well_known(home: str) -> Json:
    """Where our documents are, the newer first, and who the instance is (P-027, P-040)."""
    versions = [{"rel": f"{_SCHEMA}{one}", "href": f"{home}/nodeinfo/{one}"} for one in ("2.1", "2.0")]
    return {"links": [*versions, {"rel": _INSTANCE_ACTOR, "href": f"{home}/actor"}]}


def write(version: Version, source: str, usage: Usage, name: str, description: str = "") -> Json:
    """The document in one `version` of the schema (P-041). Registration is never open.

    `source` is the address of the program's repository, where FEDERATION.md is (P-042); empty if nobody said where.
    """
    software = {"name": SOFTWARE, "version": RELEASE}
    metadata = {"nodeName": name, "nodeDescription": description}
    if source:
        metadata["federation"] = f"{source}/FEDERATION.md"
    if source and version == "2.1":
        software |= {"repository": source, "homepage": source}
    return {
        "version": version,
        "software": software,
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {
            "users": {
                "total": usage.accounts,
                "activeMonth": usage.active_month,
                "activeHalfyear": usage.active_half_year,
            },
            "localPosts": usage.posts,
            "localComments": usage.replies,
        },
        "metadata": metadata,
    }
