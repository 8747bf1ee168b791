"""The certificate that others see at our address: whether it is good, for how long, and if not, whose fault that is."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from typing import Literal

from activitypub.sentence import Sentence
from federation import transport

Verdict = tuple[str, Literal["well", "look", "must"], str, str]

RENEW = timedelta(days=14)  # a certificate that nobody renewed by then, or in four fifths of its life, will not be
PATIENCE = 10  # seconds
RENEWED = Sentence("renew it; Caddy does so by itself if ports 80 and 443 lead here")
TRUSTED = Sentence(
    "get one that everybody trusts; Caddy does so by itself unless `tls internal` or a file of your own is set"
)
CURES = {  # by what OpenSSL finds wrong
    9: Sentence("is the clock of this machine right (timedatectl)? Then get a new one"),
    18: TRUSTED,
    19: TRUSTED,
    20: Sentence(
        "let the proxy send the whole chain; if you made the authority yourself, get one that everybody trusts"
    ),
    62: Sentence("get one for this name; does the proxy's configuration name it?"),
}


async def look(name: str, port: int, now: datetime) -> Verdict:
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(name, port, ssl=transport.tls())
    except ssl.SSLCertVerificationError as error:
        return "certificate", "must", error.verify_message, CURES.get(error.verify_code, RENEWED)
    except ssl.SSLError as error:
        return "certificate", "must", *_without_certificate(name, port, error.reason or "")
    except (OSError, TimeoutError) as error:
        return "certificate", "must", *await _without_answer(name, port, str(error) or "no answer")
    begins, ends = (_moment(writer.get_extra_info("peercert")[one]) for one in ("notBefore", "notAfter"))
    writer.close()
    left = (ends - now).days
    if ends - now < min(RENEW, (ends - begins) / 5):
        todo = Sentence("renew it, and find out why that does not happen by itself")
        return "certificate", "must", Sentence("ends in %(left)s days", left=left), todo
    return "certificate", "well", Sentence("good for %(left)s more days", left=left), ""


def _moment(written: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(written), UTC)


def _without_certificate(name: str, port: int, reason: str) -> tuple[str, str]:
    if "ALERT" in reason:
        todo = Sentence(
            "does its configuration name %(name)s? Why it got none, its log says: journalctl -u caddy", name=name
        )
        return Sentence("the proxy at %(name)s has no certificate for that name", name=f"{name}:{port}"), todo
    return Sentence("what answers at %(name)s speaks no TLS", name=f"{name}:{port}"), Sentence(
        "let the proxy serve https there, and plain http at port 80"
    )


async def _without_answer(name: str, port: int, said: str) -> tuple[str, str]:
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(name, 80)
    except (OSError, TimeoutError):
        todo = Sentence(
            "is the proxy running, do the router's ports lead to this machine, or does it not lead back (%(name)s)?",
            name=name,
        )
        return Sentence("nobody answers at %(name)s: %(why)s", name=f"{name}:{port}", why=said), todo
    writer.close()
    todo = Sentence(
        "let the proxy serve https, and the router hand on port %(port)s; Caddy then gets a certificate by itself",
        port=str(port),
    )
    return Sentence(
        "%(name)s answers over plain http alone, and nobody at port %(port)s: %(why)s",
        name=name,
        port=str(port),
        why=said,
    ), todo
