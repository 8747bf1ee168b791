from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest

from activitypub import signatures
from activitypub.errors import Unverified
from tests.activitypub.cavage_by_hand import (
    FRESH,
    GET,
    NOW,
    SENT,
    UNIX,
    accept,
    changed,
    theirs,
)


@pytest.mark.proves("P-056", "P-305")
@pytest.mark.parametrize(
    ("age", "fine"), [(0, True), (3900, True), (3901, False), (7200, False), (-3600, True), (-3601, False)]
)
def test_a_signature_holds_from_an_hour_before_its_date_to_65_minutes_after(age: int, fine: bool) -> None:
    dated = {**SENT, "date": format_datetime(NOW - timedelta(seconds=age), usegmt=True)}
    for request in (
        theirs(headers=dated),
        theirs(FRESH, "hs2019", more=f"created={UNIX - age}"),
    ):
        if fine:
            accept(request)
        else:
            with pytest.raises(Unverified, match="future" if age < 0 else "expired"):
                signatures.read(request, NOW)


@pytest.mark.proves("P-056")
@pytest.mark.parametrize("cover", [FRESH, f"{FRESH} (expires)"])
def test_expires_can_only_shorten_that(cover: str) -> None:
    request = theirs(cover, "hs2019", more=f"created={UNIX},expires={UNIX + 60}")

    accept(request, NOW + timedelta(seconds=60))
    with pytest.raises(Unverified, match="expired"):
        signatures.read(request, NOW + timedelta(seconds=61))
    late = theirs(cover, "hs2019", more=f"created={UNIX},expires={UNIX + 9999}")
    with pytest.raises(Unverified, match="expired"):
        signatures.read(late, NOW + timedelta(seconds=3901))


@pytest.mark.proves("P-056", "P-305")
def test_a_created_that_is_not_signed_does_not_make_an_old_request_new() -> None:
    request = theirs(algorithm="hs2019")
    later = NOW + timedelta(hours=2)
    replayed = f"{request.headers['signature']},created={int(later.timestamp())}"

    with pytest.raises(Unverified, match="expired"):
        signatures.read(changed(request, signature=replayed), later)


@pytest.mark.proves("P-056")
@pytest.mark.parametrize(
    "date", ["Thursday, 15-Jan-26 10:00:00 GMT", "Thu Jan 15 10:00:00 2026", "Thu, 15 Jan 2026 11:00:00 +0100"]
)
def test_obsolete_forms_of_the_date_are_read(date: str) -> None:
    accept(theirs(headers={**SENT, "date": date}))


@pytest.mark.proves("P-056")
@pytest.mark.parametrize("date", ["", "now", "2026-01-15T10:00:00Z", "Thu, 32 Jan 2026 10:00:00 GMT", "15 Jan 99999"])
def test_an_unreadable_date_is_refused(date: str) -> None:
    with pytest.raises(Unverified, match="Date"):
        signatures.read(theirs(headers={**SENT, "date": date}), NOW)


@pytest.mark.proves("P-056")
@pytest.mark.parametrize("moment", ["soon", "-1", "1e9", "٣", "999999999999", "nan"])
def test_an_unreadable_created_or_expires_is_refused(moment: str) -> None:
    for more in (f"created={moment}", f"created={UNIX},expires={moment}"):
        request = theirs(FRESH, "hs2019", more="created=1")
        header = request.headers["signature"].replace("created=1", more)
        with pytest.raises(Unverified, match="not a time"):
            signatures.read(changed(request, signature=header), NOW)


@pytest.mark.proves("P-058", "P-305")
@pytest.mark.parametrize("host", ["eve.example", "social.example:8443", "social.example.eve.example", ""])
def test_a_signature_for_another_host_is_refused(host: str) -> None:
    with pytest.raises(Unverified, match=r"Host is not social\.example"):
        signatures.read(theirs(headers={**SENT, "host": host}), NOW)


@pytest.mark.proves("P-058")
@pytest.mark.parametrize("host", ["social.example", "Social.Example", "social.example:443"])
def test_our_host_may_be_spelled_with_its_port(host: str) -> None:
    accept(replace(theirs(headers={**SENT, "host": host}), origin="https://social.example"))


@pytest.mark.proves("P-059")
def test_a_get_verifies_with_or_without_its_query() -> None:
    without = replace(
        theirs("(request-target) host date", request=replace(GET, target="/users/mia")), target=GET.target
    )

    accept(without)
    accept(theirs("(request-target) host date", request=GET))
    with pytest.raises(Unverified, match="does not match the key"):
        accept(replace(theirs("(request-target) host date", request=GET), target="/users/mia?page=2"))


@pytest.mark.proves("P-059")
def test_a_post_verifies_with_its_query_only() -> None:
    with pytest.raises(Unverified, match="does not match the key"):
        accept(replace(theirs(), target="/inbox?of=eve"))
