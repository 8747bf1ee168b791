"""What Open Badges 3.0 asks of an ``EndorsementCredential``, by hand from the specification's data model.

The published JSON Schema says the same, but no package carries it, and no file that was fetched is kept here. After the
data model of https://www.imsglobal.org/spec/ob/v3p0/ (EndorsementCredential, EndorsementSubject, Profile, Proof), its
rules for extensions, and VC Data Model 2.0, section 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

CREDENTIALS = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = re.compile(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context-3\.\d\.\d\.json")
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"  # it alone says what the type of a schema means
_DATE_TIME_Z = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")

Rule = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _uri(value: Any) -> bool:
    return isinstance(value, str) and _URI.fullmatch(value) is not None


def _moment(value: Any) -> bool:
    return isinstance(value, str) and _DATE_TIME_Z.fullmatch(value) is not None


def _types(*named: str) -> Rule:
    return lambda value: isinstance(value, list) and all(map(_text, value)) and {*named} <= {*value}


def _contexts(value: Any) -> bool:
    """The two of the standards first, in this order; then strings, or objects that map terms of one's own."""
    if not isinstance(value, list) or len(value) < 2 or value[0] != CREDENTIALS:
        return False
    return bool(OPEN_BADGES.fullmatch(value[1])) and all(isinstance(one, str | dict) for one in value[2:])


def _all(rules: Rules) -> Rule:
    return lambda value: isinstance(value, list) and not any(_breaches(one, rules) for one in value)


Rules = dict[str, tuple[bool, Rule]]  # by property: whether it is required, and what it has to be

SUBJECT: Rules = {
    "id": (True, _uri),
    "type": (True, _types("EndorsementSubject")),
    "endorsementComment": (False, _text),
}
PROFILE: Rules = {"id": (True, _uri), "type": (True, _types("Profile")), "name": (False, _text), "url": (False, _uri)}
SCHEMA: Rules = {"id": (True, _uri), "type": (True, lambda value: value == "1EdTechJsonSchemaValidator2019")}
PROOF: Rules = {
    "type": (True, lambda value: value == "DataIntegrityProof"),
    "cryptosuite": (True, lambda value: value == "eddsa-jcs-2022"),
    "proofPurpose": (True, lambda value: value == "assertionMethod"),
    "verificationMethod": (True, _uri),
    "created": (False, _moment),
    "proofValue": (True, lambda value: isinstance(value, str) and value.startswith("z")),
}
CREDENTIAL: Rules = {
    "@context": (True, _contexts),
    "type": (True, _types("VerifiableCredential", "EndorsementCredential")),
    "id": (True, _uri),
    "name": (True, _text),
    "description": (False, _text),
    "credentialSubject": (True, lambda value: not _breaches(value, SUBJECT)),
    "issuer": (True, lambda value: _uri(value) or not _breaches(value, PROFILE)),
    "validFrom": (True, _moment),
    "validUntil": (False, _moment),
    "awardedDate": (False, _moment),
    "credentialSchema": (False, _all(SCHEMA)),
    "proof": (True, _all(PROOF)),  # a list, even of one
}


def breaches(credential: Any) -> list[str]:
    """The properties of a credential that are missing, or not what the specification says.

    Its classes "can be extended with additional properties", which the context has to map: else what a program reads is
    not what was signed.
    """
    given = credential.get("@context")
    contexts = given if isinstance(given, list) else []
    mapped = {term for one in contexts if isinstance(one, dict) for term in one}
    unexplained = [] if EXTENSIONS in contexts else [*({"credentialSchema"} & credential.keys())]
    return [*_breaches(credential, CREDENTIAL), *unexplained, *(credential.keys() - CREDENTIAL.keys() - mapped)]


def _breaches(value: Any, rules: Rules) -> list[str]:
    if not isinstance(value, dict):
        return ["it is no object"]
    wrong = [name for name, (_, holds) in rules.items() if name in value and not holds(value[name])]
    return wrong + [name for name, (required, _) in rules.items() if required and name not in value]
