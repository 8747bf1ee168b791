"""Actors: Person, Organization, Group, Service and Application, as others write them and as we do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from activitypub import context, html, identity
from activitypub.context import NS
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Malformed
from activitypub.origin import origin, page
from activitypub.vocabulary import ACTORS

ROOMS = NS + "rooms-1"  # P-024: an opaque string; who lists it shares our rooms
RFC9421 = "https://datatracker.ietf.org/doc/html/rfc9421"

HANDLE = re.compile(r"(?=.{1,30}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
"""P-004, for `fullmatch`: what handles are given here. Others may call themselves as they like."""

MAX_BUDDIES = 3  # of one actor
_MAX_FIELDS = 50
_MAX_ALIASES = 256


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys of an actor: RSA as PEM (SubjectPublicKeyInfo), Ed25519 as multibase (P-021, P-022).

    A new key gets a new fragment (P-078). One that will be used soon is in `coming`, fragment and multibase. It is
    listed among those that prove documents, whatever its kind: many read one ``publicKey``, and some refuse several.
    """

    pem: str
    multibase: str
    pem_fragment: str = "main-key"
    multibase_fragment: str = "ed25519-key"
    coming: tuple[tuple[str, str], ...] = ()
    sealing: tuple[str, str] | None = None  # X25519, for what nobody else shall read (`activitypub.parcel`)

    def write(self, uri: str) -> Json:
        """What the document of the actor at `uri` says of its keys."""
        multikeys = ((self.multibase_fragment, self.multibase), *self.coming)
        sealing = (self.sealing,) if self.sealing else ()

        def listed(*some: tuple[str, str]) -> list[Json]:
            head = {"type": "Multikey", "controller": uri}
            return [{"id": f"{uri}#{name}", **head, "publicKeyMultibase": key} for name, key in some]

        return {
            "publicKey": {"id": f"{uri}#{self.pem_fragment}", "owner": uri, "publicKeyPem": self.pem.strip() + "\n"},
            "assertionMethod": listed(*multikeys),
            **({"keyAgreement": listed(*sealing)} if sealing else {}),
        }


@dataclass(frozen=True, slots=True)
class Picture:
    """An avatar or a header, by its address; `alt` is its description."""

    url: str
    media_type: str = ""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """What the wire says of an actor. Names are single lines, `summary` and the values of `fields` are clean HTML."""

    id: str
    type: str
    handle: str
    inbox: str
    name: str = ""
    summary: str = ""
    url: str | None = None
    address: str | None = None  # FEP-2c59, ``ada@attic.example``: a claim, until WebFinger confirms it (P-018)
    outbox: str | None = None
    followers: str | None = None
    following: str | None = None
    featured: str | None = None
    shared_inbox: str | None = None
    icon: Picture | None = None
    image: Picture | None = None
    fields: tuple[tuple[str, str], ...] = ()
    statements: tuple[Json, ...] = ()  # of who says that they are this actor (FEP-c390), to be checked
    skills: tuple[str, ...] = ()
    availability: str = ""
    place: str = ""
    remote: bool = False  # works for people elsewhere
    implements: tuple[str, ...] = ()
    moved_to: str | None = None
    also_known_as: tuple[str, ...] = ()
    founder: str | None = None  # of a project
    members: str | None = None
    log: str | None = None
    mailbox: str | None = None  # where parcels are left for those whom it is a buddy of
    buddies: tuple[str, ...] = ()  # actors with whom parcels for it can be left
    manually_approves: bool = False
    discoverable: bool = False
    indexable: bool = False
    suspended: bool = False
    published: datetime | None = None

    @property
    def aware(self) -> bool:
        """Does it share our rooms? True only of a document that was fetched from its own id (P-024)."""
        return ROOMS in self.implements

    @classmethod
    def ours(cls, uri: str, kind: str, handle: str) -> Self:
        """An actor of this instance: everything that belongs to it lies below its id (P-003)."""
        parts = urlsplit(uri)
        is_project = kind == "Group"
        return cls(
            id=uri,
            type=kind,
            handle=handle,
            address=f"{handle}@{parts.netloc}",
            inbox=f"{uri}/inbox",
            outbox=f"{uri}/outbox",
            followers=f"{uri}/followers",
            following=f"{uri}/following",
            featured=f"{uri}/collections/featured",
            shared_inbox=f"{parts.scheme}://{parts.netloc}/inbox",
            members=f"{uri}/members" if is_project else None,
            log=f"{uri}/log" if is_project else None,
            mailbox=f"{uri}/mailbox" if kind in ("Person", "Organization") else None,
            implements=(RFC9421, ROOMS),
        )

    @classmethod
    def read(cls, document: Document) -> Self:
        """Raise `Malformed` without an id and an inbox that are web addresses, or of no known type."""
        uri, inbox = document.id, document.require("inbox")
        home = origin(uri)
        origin(inbox)
        kind = next((one for one in document.types if one in ACTORS), None)
        if kind is None:
            raise Malformed(f"{document.type or 'a document without type'} is no actor")

        place = document.embedded("location")

        def own(name: str) -> str | None:
            found = html.safe_url(document.uri(name))
            return found if found and origin(found) == home else None

        address = html.single_line(document.text("webfinger"), 2048) or None
        handle = document.text("preferredUsername") or (address or "").rpartition("@")[0]
        return cls(
            id=uri,
            type=kind,
            handle=html.single_line(handle, 2048),
            inbox=inbox,
            name=html.single_line(document.text("name"), 500),
            summary=html.clean(document.text("summary")),
            url=page(document),
            address=address,
            outbox=own("outbox"),
            followers=own("followers"),
            following=own("following"),
            featured=own("featured"),
            shared_inbox=_shared_inbox(document, inbox),
            icon=_picture(document, "icon"),
            image=_picture(document, "image"),
            fields=_fields(document),
            statements=identity.listed(document),
            skills=tuple(html.single_line(one, 100) for one in document.strings("skill")[:32]),
            availability=html.single_line(document.text("availability"), 200),
            place=html.single_line(place.text("name") if place else document.text("location"), 100),
            remote=document.flag("remote"),
            implements=tuple(
                one for software in document.embeddeds("generator") for one in software.uris("implements")
            ),
            moved_to=html.safe_url(document.uri("movedTo")),
            also_known_as=document.uris("alsoKnownAs")[:_MAX_ALIASES],
            founder=own("attributedTo"),
            members=own("members") or own("collaborators"),
            log=own("log"),
            mailbox=own("mailbox"),
            buddies=document.uris("buddies")[:MAX_BUDDIES],
            manually_approves=document.flag("manuallyApprovesFollowers"),
            discoverable=document.flag("discoverable"),
            indexable=document.flag("indexable"),
            suspended=document.flag("suspended"),
            published=document.time("published"),
        )

    def write(self, keys: Keys) -> Json:
        """The document that we serve and send in ``Update`` (P-020); of a suspended actor little more than its keys."""
        told = {} if self.suspended else self._profile()
        written = {
            "@context": context.PROJECT if self.type == "Group" else context.ACTOR,
            "id": self.id,
            "type": self.type,
            "preferredUsername": self.handle,
            "webfinger": self.address,
            "name": "" if self.suspended else self.name,
            "summary": "" if self.suspended else self.summary,
            "url": self.url,
            "published": timestamp(self.published) if self.published else None,
            **self._places(),
            "manuallyApprovesFollowers": self.manually_approves,
            "discoverable": self.discoverable and not self.suspended,
            "indexable": self.indexable and not self.suspended,
            "suspended": self.suspended or None,
            "attributionDomains": [urlsplit(self.id).netloc],
            "alsoKnownAs": list(self.also_known_as) or None,
            "movedTo": self.moved_to,
            **told,
            **keys.write(self.id),
            "generator": _generator(self),
        }
        return {name: value for name, value in written.items() if value is not None}

    def _places(self) -> Json:
        """The collections; those of offers and endorsements belong to whoever can have them."""
        below = {"featuredTags": "collections/tags"}
        if self.type in ("Person", "Organization"):
            below |= {"offers": "offers", "endorsementsReceived": "endorsements-received"}
            below |= {"endorsementsGiven": "endorsements-given", "revocations": "revocations"}
        return {
            "inbox": self.inbox,
            "outbox": self.outbox,
            "followers": self.followers,
            "following": self.following,
            "featured": self.featured,
            "endpoints": {"sharedInbox": self.shared_inbox} if self.shared_inbox else None,
            "attributedTo": self.founder,
            "members": self.members,
            "collaborators": self.members,
            "log": self.log,
            "mailbox": self.mailbox,
            **{name: f"{self.id}/{path}" for name, path in below.items()},
        }

    def _profile(self) -> Json:
        return {
            "icon": _written_picture(self.icon),
            "image": _written_picture(self.image),
            "attachment": [
                *({"type": "PropertyValue", "name": name, "value": value} for name, value in self.fields),
                *self.statements,
            ],
            "tag": [],
            "skill": list(self.skills) or None,
            "availability": self.availability or None,
            "location": {"type": "Place", "name": self.place} if self.place else None,
            "remote": self.remote or None,
            "buddies": list(self.buddies) or None,
        }


def _fields(document: Document) -> tuple[tuple[str, str], ...]:
    values = [one for one in document.embeddeds("attachment") if "PropertyValue" in " ".join(one.types)]
    return tuple(
        (html.single_line(one.text("name"), 500), html.clean(one.text("value"))) for one in values[:_MAX_FIELDS]
    )


def _shared_inbox(document: Document, inbox: str) -> str | None:
    """Only where the actor's own inbox is, or their server could have mail for others go its way (P-162)."""
    found = html.safe_url((document.embedded("endpoints") or document).uri("sharedInbox"))
    return found if found and origin(found) == origin(inbox) else None


def _picture(document: Document, name: str) -> Picture | None:
    """The first one that has an address, whether it is an ``Image``, a ``Link`` or a bare string (P-110)."""
    for one in document.embeddeds(name):
        if url := html.safe_url(one.uri("url") or one.uri("href")):
            return Picture(url, html.single_line(one.text("mediaType"), 100), html.single_line(one.text("name"), 1500))
    bare = next(iter(document.strings(name)), None)
    return Picture(bare) if bare and html.safe_url(bare) else None


def _written_picture(picture: Picture | None) -> Json | None:
    if picture is None:
        return None
    known = {"mediaType": picture.media_type, "url": picture.url, "name": picture.alt}
    return {"type": "Image"} | {name: value for name, value in known.items() if value}


def _generator(actor: Actor) -> Json:
    """Our capabilities (FEP-844e, P-024)."""
    parts = urlsplit(actor.id)
    names = {RFC9421: "RFC-9421: HTTP Message Signatures", ROOMS: "Boxroom rooms"}
    implements = [{"href": href, "name": names[href]} for href in names if href in actor.implements]
    instance = f"{parts.scheme}://{parts.netloc}/actor"
    return {"type": "Application", "id": instance, "name": "Boxroom", "implements": implements}
