"""Takes each guard away, one at a time, and sees whether its test notices: ``python -m tests.guards [WORD]``.

First, all those tests have to pass. A guard whose text is not found is a failure, too: then this table is to be brought
up to date. Nothing changes on disk: a guard is left out as its module is imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

import pytest

ROOT = Path(__file__).parent.parent
AT_ONCE = 2
PLAIN = ("-p", "no:randomly", "-p", "no:cacheprovider", "--database", "sqlite")
PREPARED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # of what is imported already, once for all
BROKEN = 70  # the exit status of a run that came to no end: it has noticed nothing
SLOW = ("aiohttp", "cryptography.x509", "httpx", "jinja2", "sqlalchemy.orm", "starlette.routing")  # to be imported

INBOX, KEYRING, RECEIPTS = "federation/inbox.py", "federation/keyring.py", "federation/receipts.py"
HINTS, FORWARDING, ACTORS = "federation/hints.py", "federation/forwarding.py", "federation/actors.py"
INSTANCE, DISCOVERY, KNOWN = "federation/instance.py", "federation/discovery.py", "federation/known.py"
CLIENT, GUARD, ORIGIN = "federation/client.py", "federation/guard.py", "activitypub/origin.py"
DOCUMENT, MESSAGE, PROOF = "activitypub/document.py", "activitypub/message.py", "activitypub/proof.py"
CAVAGE, RFC9421, VERDICTS = "activitypub/cavage.py", "activitypub/rfc9421.py", "coop/verdicts.py"
OUTBOXES, GREETINGS, RECONCILING = "coop/outboxes.py", "coop/greetings.py", "coop/reconciling.py"
MOVING, KEEPSAKES = "coop/moving.py", "coop/keepsakes.py"
WHO, PATHS, CIRCLES, SEARCH = "coop/who.py", "coop/paths.py", "coop/circles.py", "coop/search.py"
WEB, LIMITS, ALLOWANCE = "web/activitypub.py", "web/limits.py", "federation/allowance.py"
AGREEMENT, RESPONSES, AGREEMENTS = "activitypub/agreement.py", "coop/responses.py", "coop/agreements.py"
COMMITMENT, PROMISES, FULFILMENT = "activitypub/commitment.py", "coop/promises.py", "coop/fulfilment.py"
BEGINNINGS, COMMITMENTS = "coop/beginnings.py", "coop/commitments.py"

ONE_SIDED = "test_nobody_is_led_to_where_only_one_of_them_says_so"
NOTHING_NEW = "test_of_two_who_share_a_server_the_one_who_left_sees_nothing_new_nor_what_an_old_post_says_now"


@dataclass(frozen=True, slots=True)
class Guard:
    """Some text of `file`, and what stands in its place once the guard is gone; `test` is to notice."""

    file: str
    text: str
    instead: str
    test: str

    @property
    def tests(self) -> str:
        file = self.test.partition("::")[0]
        folders = ("activitypub", "federation", "coop")
        return next(f"tests/{one}/{self.test}" for one in folders if (ROOT / "tests" / one / file).exists())

    @property
    def is_missing(self) -> bool:
        return (ROOT / self.file).read_text().count(self.text) != 1


class Without(SourceFileLoader):
    """Finds and loads the module of a guard as if it had none."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard.file.removesuffix(".py").replace("/", "."), str(ROOT / guard.file))
        self.guard = guard

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text().replace(self.guard.text, self.guard.instead)
        code: CodeType = compile(source, self.path, "exec", dont_inherit=True)
        return code


GUARDS = (
    # What a request may be (steps 1 to 4)
    Guard(WEB, 'if scope["method"] != "POST":', "if False:", "test_inbox.py::test_an_inbox_is_written_with_post_alone"),
    Guard(WEB, "if owner is None:", "if False:", "test_inbox.py::test_each_flaw_has_its_answer"),
    Guard(WEB, "if owner.gone:", "if False:", "test_inbox.py::test_the_inbox_of_somebody_who_left_is_gone"),
    Guard(WEB, ".lower() not in _TYPES:", ".lower() in ():", "test_inbox.py::test_each_flaw_has_its_answer"),
    Guard(LIMITS, "int(length[:20]) > MAX_BODY:", "False:", "test_inbox.py::test_each_flaw_has_its_answer"),
    Guard(LIMITS, '.lower() != "identity":', '.lower() == "x":', "test_inbox.py::test_each_flaw_has_its_answer"),
    Guard(
        LIMITS,
        "if len(body) > MAX_BODY:",
        "if False:",
        "test_inbox.py::test_a_body_that_does_not_say_how_long_it_is_is_no_longer",
    ),
    Guard(
        LIMITS,
        "asyncio.timeout(BODY_TIME)",
        "asyncio.timeout(99)",
        "test_inbox.py::test_a_body_that_does_not_arrive_is_not_waited_for",
    ),
    Guard(ALLOWANCE, "if left < 1:", "if False:", "test_inbox.py::test_whoever_knocks_too_often_is_told_to_wait"),
    # What an activity may be (steps 5 to 9)
    Guard(INBOX, "    check_digests(request)\n", "", "test_inbox.py::test_of_two_flaws_the_earlier_is_answered"),
    Guard(INBOX, "digest.check(header", "len(header", "test_inbox.py::test_of_two_flaws_the_earlier_is_answered"),
    Guard(INBOX, "digest.check_content(header", "len(header", "test_inbox.py::test_each_flaw_has_its_answer"),
    Guard(INBOX, "if not document.type or", "if", "test_inbox.py::test_what_cannot_be_read_is_refused"),
    Guard(INBOX, "or not document.type.isprintable():", ":", "test_inbox.py::test_what_cannot_be_read_is_refused"),
    Guard(INBOX, "if len(actors) != 1:", "if not actors:", "test_inbox.py::test_each_flaw_has_its_answer"),
    Guard(INBOX, "        origin(actors[0])\n", "", "test_inbox.py::test_what_cannot_be_read_is_refused"),
    Guard(INBOX, 'get("id"), str | None)', 'get("id"), object)', "test_inbox.py::test_what_cannot_be_read_is_refused"),
    Guard(INBOX, "if uri is not None:", "if False:", "test_inbox.py::test_what_cannot_be_read_is_refused"),
    Guard(INBOX, "if uri is None and", "if False and", "test_inbox.py::test_what_may_not_happen_twice_needs_an_id"),
    Guard(
        INBOX,
        "if await _is_farewell_of_a_stranger(here, sent):",
        "if False:",
        "test_inbox.py::test_the_farewell_of_a_stranger_costs_nothing",
    ),
    Guard(
        INBOX,
        "if await _names_a_blocked_key(here, request.headers):",
        "if False:",
        "test_inbox.py::test_each_flaw_has_its_answer",
    ),
    Guard(
        INBOX,
        '"signature", "signature-input"',
        '"signature"',
        "test_inbox.py::test_a_blocked_key_is_known_by_either_signature",
    ),
    Guard(
        INBOX,
        "if await here.blocks(host(sent.actor)):",
        "if False:",
        "test_inbox.py::test_whom_we_knew_before_the_block_is_not_heard_through_others",
    ),
    # Who says it (steps 10 to 14)
    Guard(
        INBOX,
        "        signature.verify(key.public)\n",
        "        pass\n",
        "test_inbox.py::test_what_is_not_soundly_signed_is_refused_and_not_kept",
    ),
    Guard(
        INBOX,
        "        signature.verify(renewed.public)\n",
        "",
        "test_keyring.py::test_a_renewed_key_has_to_match_as_well",
    ),
    Guard(
        INBOX,
        "        return  # a server deletes",
        "        raise  # a server deletes",
        "test_keyring.py::test_a_key_that_cannot_be_had_is_not_asked_for_again_soon",
    ),
    Guard(
        INBOX,
        "if origin(sent.uri) != origin(sent.actor):",
        "if False:",
        "test_inbox.py::test_an_id_on_another_server_is_nobodys_to_give",
    ),
    Guard(INBOX, "proven = signer == sent.actor or", "proven = True or", "test_inbox.py"),
    Guard(
        INBOX,
        "known.check_proof(db, sent.document, here.now())",
        "None",
        "test_inbox.py::test_a_false_proof_harms_only_what_needs_it",
    ),
    Guard(
        INBOX,
        "    if await _has_good_proof(here, sent):\n",
        "    if True:\n",
        "test_hints.py::test_a_false_proof_is_not_believed_then_either",
    ),
    Guard(
        INBOX,
        "    with suppress(keyring.TryLater):\n        return await _has_good_proof(here, sent)\n",
        "    return await _has_good_proof(here, sent)\n",
        "test_hints.py::test_a_proof_by_one_whose_server_sleeps_is_checked_when_it_wakes",
    ),
    Guard(
        INBOX,
        "or origin(signer) != origin(sent.actor):",
        ":",
        "test_hints.py::test_the_instance_actor_of_another_server_buries_nobody",
    ),
    Guard(
        INBOX,
        ', Actor.type == "Application")',
        ")",
        "test_hints.py::test_the_instance_actor_may_bury_those_of_its_server",
    ),
    Guard(
        INBOX,
        "hints.absence(here, sent.actor) == 410",
        "hints.absence(here, sent.actor) != 0",
        "test_hints.py::test_the_instance_actor_may_bury_those_of_its_server",
    ),
    Guard(
        INBOX,
        "(_made_up_id(hinted_by, body), hinted_by) if hinted_by",
        "(sent.uri, sent.actor) if hinted_by",
        "test_inbox.py::test_a_guessed_id_does_not_keep_the_real_activity_out",
    ),
    Guard(
        INBOX, '"proven": hinted_by is None', '"proven": True', "test_inbox.py::test_the_key_of_another_proves_nothing"
    ),
    Guard(INBOX, "and not sent.may_be_passed_on", "and False", "test_inbox.py::test_the_key_of_another_proves_nothing"),
    # Whose key it is
    Guard(
        KEYRING,
        "raise Unverified(str(error)) from error",
        "raise",
        "test_keyring.py::test_a_key_that_cannot_be_read_proves_nothing",
    ),
    Guard(
        KEYRING,
        "if any(here.now() < here.renewals[who]",
        "if False and any(here.now() < here.renewals[who]",
        "test_keyring.py::test_bad_signatures_make_us_ask_once_in_five_minutes",
    ),
    Guard(KEYRING, ", Key.retired.is_(None))", ",)", "test_keyring.py::test_whoever_is_deleted_signs_no_more"),
    Guard(
        KEYRING,
        "here.now() > actor.fetched + TOO_OLD and",
        "False and",
        "test_keyring.py::test_a_key_of_a_week_ago_is_confirmed_before_it_is_used",
    ),
    Guard(
        KEYRING,
        "here.stale.add(actor.uri)",
        "pass",
        "test_keyring.py::test_an_actor_in_use_is_asked_again_after_a_day",
    ),
    Guard(
        KEYRING, "if task is None:", "if True:", "test_keyring.py::test_a_crowd_that_arrives_together_makes_us_ask_once"
    ),
    Guard(
        KEYRING,
        "if absence and here.now() < absence.until:",
        "if False:",
        "test_keyring.py::test_a_key_that_cannot_be_had_is_not_asked_for_again_soon",
    ),
    Guard(
        KEYRING,
        "Actor.fetched > here.now() - RENEWAL",
        "Actor.fetched > here.now()",
        "test_keyring.py::test_made_up_fragments_do_not_make_us_ask_again",
    ),
    Guard(
        KEYRING,
        'raise Unverified(f"{uri} is neither an actor nor a key")',
        "pass",
        "test_keyring.py::test_a_key_that_cannot_be_had_is_not_asked_for_again_soon",
    ),
    Guard(
        INSTANCE,
        "if self.asked[window] > ASKED_PER_HOUR:",
        "if False:",
        "test_keyring.py::test_one_domain_has_so_many_strangers_in_an_hour_and_no_more",
    ),
    Guard(
        INSTANCE,
        "        await self._check_open(host(uri))\n",
        "",
        "test_inbox.py::test_a_blocked_server_is_not_even_asked",
    ),
    Guard(
        INSTANCE,
        "        await self._check_open(host(document.id))",
        "        pass",
        "test_inbox.py::test_whom_we_knew_before_the_block_is_not_heard_through_others",
    ),
    Guard(
        INSTANCE,
        'labels = host.partition(":")[0].rstrip(".").split(".")  # a dot',
        'labels = host.partition(":")[0].split(".")  # a dot',
        "test_inbox.py::test_a_blocked_server_is_not_heard_in_any_voice",
    ),
    # Who an actor is
    Guard(
        ACTORS,
        "if row is not None and row.local:",
        "if False:",
        "test_actors.py::test_nobody_else_says_who_lives_here",
    ),
    Guard(
        ACTORS,
        "if site(host(profile.inbox)) != site(host(profile.id)):",
        "if False:",
        "test_actors.py::test_nobody_has_their_inbox_on_another_server",
    ),
    Guard(
        ACTORS,
        "Key.id.in_(listed)",
        "Key.id == ''",
        "test_actors.py::test_a_key_id_that_is_listed_twice_belongs_to_the_first",
    ),
    Guard(
        ACTORS,
        'row.owner == key.owner and (row.public == public or row.use == "publicKey")',
        "row.owner == key.owner",
        "test_actors.py::test_a_key_for_proofs_never_changes_under_its_id",
    ),
    Guard(ACTORS, "and room > 0:", ":", "test_actors.py::test_an_actor_has_so_many_keys_and_no_more"),
    Guard(
        ACTORS,
        "            tx.db.delete(row)\n",
        "            pass\n",
        "test_actors.py::test_keys_that_only_signed_requests_are_forgotten",
    ),
    Guard(
        ACTORS,
        ", Delivery.inbox.not_in(shared))",
        ")",
        "test_actors.py::test_whoever_leaves_takes_nobody_elses_mail_with_them",
    ),
    Guard(
        ACTORS,
        "Actor.uri == uri, ~Actor.local",
        "Actor.uri == uri",
        "test_actors.py::test_one_of_us_never_leaves_by_word_of_others",
    ),
    # How receipts are worked on
    Guard(RECEIPTS, "        if actor in held:\n", "        if False:\n", "test_receipts.py"),
    Guard(
        RECEIPTS,
        "Receipt.actor.not_in(held)] if held",
        "] if held",
        "test_receipts.py::test_the_order_of_an_actor_is_kept_while_something_is_fetched",
    ),
    Guard(
        RECEIPTS,
        "crowd[home] < PLACES_OF_A_SITE and",
        "",
        "test_receipts.py::test_a_domain_that_hangs_holds_up_only_its_own",
    ),
    Guard(
        RECEIPTS,
        "home = site(host(actor))",
        "home = host(actor)",
        "test_receipts.py::test_a_domain_that_hangs_holds_up_only_its_own",
    ),
    Guard(
        RECEIPTS,
        "*self._standing_back}",
        "}",
        "test_receipts.py::test_a_domain_that_hangs_holds_up_only_its_own",
    ),
    Guard(
        RECEIPTS,
        '            log.exception("receipts.failed")\n            await self._set_out_one_by_one(held)\n',
        "            raise\n",
        "test_receipts.py::test_a_receipt_that_cannot_be_read_holds_up_nobody",
    ),
    Guard(
        RECEIPTS,
        "            await self._set_out_one_by_one(held)\n            raise\n",
        "            raise\n",
        "test_receipts.py::test_what_asks_too_much_of_the_database_holds_up_nobody",
    ),
    Guard(
        RECEIPTS,
        'Receipt.id == receipt_id, Receipt.state == "waiting"))',
        "Receipt.id == receipt_id))",
        "test_receipts.py::test_whoever_is_slower_does_not_undo_what_another_process_has_done",
    ),
    Guard(
        RECEIPTS,
        "    except (*FAULTS, Unavailable):\n        raise\n    except Exception",
        "    except Exception if False else OSError",
        "test_receipts.py::test_a_handler_that_raises_is_tried_again_and_then_kept_for_the_operator",
    ),
    Guard(
        RECEIPTS,
        "        if proven and _attempt(",
        "        if _attempt(",
        "test_inbox.py::test_the_key_of_another_proves_nothing",
    ),
    Guard(
        RECEIPTS,
        "    if receipt.proven:  # what a hint",
        "    if True:  # what a hint",
        "test_inbox.py::test_the_key_of_another_proves_nothing",
    ),
    Guard(
        RECEIPTS,
        "(early or not receipt.proven)",
        "early",
        "test_hints.py::test_a_hint_that_leads_nowhere_is_dropped_at_last",
    ),
    Guard(
        RECEIPTS,
        "is_last = receipt.attempts >= ATTEMPTS",
        "is_last = False",
        "test_receipts.py::test_a_handler_that_raises_is_tried_again_and_then_kept_for_the_operator",
    ),
    Guard(
        RECEIPTS,
        "outbox.TooLong)",
        ")",
        "test_fuzz.py::test_what_is_too_long_to_be_answered_is_refused",
    ),
    Guard(
        RECEIPTS,
        'state="done", error=None, body=b"")',
        'state="done", error=None)',
        "test_inbox.py::test_what_means_nothing_here_is_acknowledged_and_forgotten",
    ),
    Guard(
        DISCOVERY,
        "self.left <= 0 or",
        "",
        "test_receipts.py::test_documents_that_lead_to_documents_end_somewhere",
    ),
    Guard(
        DISCOVERY,
        "or now > self.until",
        "",
        "test_receipts.py::test_completing_a_receipt_ends_after_half_a_minute",
    ),
    Guard(
        DISCOVERY,
        "or uri in self.seen",
        "",
        "test_receipts.py::test_documents_that_lead_to_documents_end_somewhere",
    ),
    Guard(
        DISCOVERY,
        "if author is None or origin(author) != origin(document.id):",
        "if False:",
        "test_inbox.py::test_what_is_fetched_belongs_to_its_own_server",
    ),
    # What a hint leads to
    Guard(
        HINTS,
        "or origin(about) != origin(actor)",
        "",
        "test_hints.py::test_a_hint_makes_us_ask_nobody_but_its_actors_server",
    ),
    Guard(
        HINTS,
        "    if not await here.store.read(lambda db: _concerns_us(db, activity, about, actor)):\n        return\n",
        "",
        "test_hints.py::test_a_reply_by_a_stranger_to_what_we_have_is_fetched",
    ),
    Guard(
        HINTS,
        'elif activity.type in ("Create", "Update"):',
        "else:",
        "test_hints.py::test_everything_else_that_is_passed_on_is_dropped",
    ),
    Guard(
        HINTS,
        "        here.missed.pop(uri, None)\n",
        "",
        "test_hints.py::test_a_proxy_that_fails_now_and_then_erases_nothing",
    ),
    Guard(
        HINTS,
        "if owner == uri and status != 410:",
        "if False:",
        "test_hints.py::test_an_actor_is_gone_if_410_says_so_twice",
    ),
    Guard(
        HINTS,
        "if here.now() < here.missed.setdefault(uri, here.now()) + CONFIRMATION:",
        "if False:",
        "test_hints.py::test_a_post_is_gone_if_its_server_says_so_twice",
    ),
    Guard(
        HINTS,
        "return 410 if document.type == known.TOMBSTONE else None",
        "return None",
        "test_hints.py::test_a_post_is_gone_if_its_server_says_so_twice",
    ),
    # Who may send how much, and which keys are believed no more
    Guard(INBOX, "    here.senders.take(", "    0 and here.senders.take(", "test_allowance.py"),
    Guard(
        KEYRING,
        "    if retired.is_set():",
        "    if False:",
        "test_keyring.py::test_whatever_ends_a_key_is_heard_of_at_once",
    ),
    # What is passed on
    Guard(
        FORWARDING,
        "if PUBLIC_ALIASES.isdisjoint(addressed) or",
        "if",
        "test_forwarding.py::test_nothing_else_is_forwarded",
    ),
    Guard(
        FORWARDING,
        "        known.check_proof(tx.db, Document.parse(body), tx.now)\n",
        "        pass\n",
        "test_forwarding.py::test_nothing_else_is_forwarded",
    ),
    Guard(
        FORWARDING,
        "(author := _whom_it_answers(tx, activity)) is None",
        "(author := _whom_it_answers(tx, activity) or f'{tx.home}/actor') is None",
        "test_forwarding.py::test_nothing_else_is_forwarded",
    ),
    Guard(
        FORWARDING,
        "[:MAX_COLLECTIONS]",
        "",
        "test_forwarding.py::test_only_a_few_of_our_collections_are_looked_at",
    ),
    # Who may vouch for what
    Guard(ORIGIN, "    if len(actors) != 1:", "    if not actors:", "test_origin.py"),
    Guard(ORIGIN, 'if activity.has("id") and origin(activity.id) != home:', "if False:", "test_origin.py"),
    Guard(ORIGIN, "if sum(1 for _ in _nested(activity)) > _MAX_NESTING:", "if False:", "test_origin.py"),
    Guard(
        ORIGIN,
        "            return uri\n        return inside(value)",
        "            return inside(value)\n        return inside(value)",
        "test_origin.py",
    ),
    Guard(ORIGIN, "return elsewhere or not owners <= {None, actor}", "return elsewhere", "test_origin.py"),
    Guard(ORIGIN, "return elsewhere or not owners", "return not owners", "test_origin.py"),
    Guard(ORIGIN, "*(document.uri(name) for name in _OWNER)", "", "test_origin.py"),
    Guard(ORIGIN, 'if name != "signature"', "", "test_inbox.py::test_a_linked_data_signature_is_not_kept"),
    Guard(ORIGIN, "is_odd = not uri.isprintable() or", "is_odd =", "test_origin.py"),
    Guard(ORIGIN, '" " in uri or', "", "test_origin.py"),
    Guard(ORIGIN, "or len(uri.encode()) > MAX_URI", "", "test_inbox.py::test_what_cannot_be_read_is_refused"),
    Guard(ORIGIN, "or _DISGUISE.search(parts.netloc)", "", "test_origin.py"),
    Guard(ORIGIN, "found and host(found) == host(document.id)", "found", "test_origin.py"),
    # What is read of a document
    Guard(DOCUMENT, "value[:MAX_ENTRIES] if", "value if", "test_document.py"),
    Guard(DOCUMENT, "len(outer) > MAX_STRING:", "False:", "test_document.py"),
    Guard(DOCUMENT, "if _has_a_key_twice(body, _keys_within_limits(value)):", "if False:", "test_document.py"),
    Guard(DOCUMENT, "if _NUL in body and", "if False and", "test_document.py"),
    Guard(DOCUMENT, '_NUL in body.replace(_BACKSLASH, b""):', "True:", "test_document.py"),
    Guard(DOCUMENT, 'uri if "\\0" in found else', "", "test_document.py"),
    Guard(DOCUMENT, "if len(_END_OF_KEY.findall(body)) == read:", "if True:", "test_document.py"),
    # What a signature has to cover, and when it holds
    Guard(
        CAVAGE, "if algorithm not in _ALGORITHMS:", "if False:", "test_cavage.py::test_an_unknown_algorithm_is_refused"
    ),
    Guard(
        CAVAGE,
        'needed = {"(request-target)", "host"}',
        'needed = {"host"}',
        "test_cavage.py::test_a_post_covers_target_host_date_and_digest",
    ),
    Guard(
        CAVAGE,
        'needed = {"(request-target)", "host"}',
        'needed = {"(request-target)"}',
        "test_cavage.py::test_a_post_covers_target_host_date_and_digest",
    ),
    Guard(
        CAVAGE,
        '({"digest"} if request.has_content else set())',
        "set()",
        "test_cavage.py::test_a_post_covers_target_host_date_and_digest",
    ),
    Guard(
        CAVAGE,
        'if "date" not in names and "(created)" not in names:',
        "if False:",
        "test_cavage.py::test_a_post_covers_target_host_date_and_digest",
    ),
    Guard(
        CAVAGE,
        "if len(set(names)) != len(names):",
        "if False:",
        "test_cavage.py::test_a_header_covered_twice_or_absent_is_refused",
    ),
    Guard(
        CAVAGE,
        'or algorithm != "hs2019")',
        ")",
        "test_cavage.py::test_created_and_expires_need_their_parameter_and_hs2019",
    ),
    Guard(
        CAVAGE,
        "    _check_time(names, given, request.headers, now)\n",
        "",
        "test_cavage_time_and_place.py::test_a_signature_holds_from_an_hour_before_its_date_to_65_minutes_after",
    ),
    Guard(
        CAVAGE,
        'if "(created)" in names else',
        'if "created" in given else',
        "test_cavage_time_and_place.py::test_a_created_that_is_not_signed_does_not_make_an_old_request_new",
    ),
    Guard(
        CAVAGE,
        '_seconds(given["expires"]) if "expires" in given else None',
        "None",
        "test_cavage_time_and_place.py::test_expires_can_only_shorten_that",
    ),
    Guard(
        CAVAGE,
        "    _check_host(request)\n",
        "",
        "test_cavage_time_and_place.py::test_a_signature_for_another_host_is_refused",
    ),
    Guard(
        CAVAGE,
        '    if "digest" in names:\n',
        "    if False:\n",
        "test_cavage.py::test_whatever_is_changed_on_the_way_is_noticed",
    ),
    Guard(
        CAVAGE,
        "if name.lower() in given:",
        "if False:",
        "test_cavage.py::test_a_parameter_that_occurs_twice_is_malformed",
    ),
    Guard(
        CAVAGE,
        "        if junk:\n",
        "        if False:\n",
        "test_cavage.py::test_what_is_no_list_of_parameters_is_malformed",
    ),
    Guard(CAVAGE, 'check_key_id(given["keyid"])', 'given["keyid"]', "test_cavage.py::test_a_key_id_is_a_web_address"),
    Guard(
        CAVAGE,
        'if question and request.method == "GET"',
        "if question",
        "test_cavage_time_and_place.py::test_a_post_verifies_with_its_query_only",
    ),
    Guard(CAVAGE, ", validate=True)", ")", "test_cavage.py::test_an_empty_or_unreadable_signature_is_refused"),
    Guard(
        MESSAGE,
        'if text.count("\\n") != len(lines) - 1:',
        "if False:",
        "test_cavage.py::test_a_value_with_a_line_break_cannot_pose_as_another_header",
    ),
    Guard(
        MESSAGE,
        "if created > moment + MAX_AHEAD:",
        "if False:",
        "test_rfc9421.py::test_a_signature_holds_from_an_hour_before_created_to_65_minutes_after",
    ),
    Guard(
        MESSAGE,
        "moment > created + MAX_AGE or",
        "",
        "test_rfc9421.py::test_a_signature_holds_from_an_hour_before_created_to_65_minutes_after",
    ),
    Guard(
        RFC9421,
        'check_window(parameters["created"], parameters.get("expires"), now)',
        "pass",
        "test_rfc9421.py::test_expires_can_only_shorten_that",
    ),
    Guard(
        RFC9421,
        'if "content-digest" in names:',
        "if False:",
        "test_rfc9421.py::test_content_digest_is_that_of_the_body_whenever_it_is_covered",
    ),
    Guard(RFC9421, "[:MAX_LABELS]", "", "test_rfc9421.py"),
    Guard(
        RFC9421,
        "if not isinstance(components, list) or not isinstance(value, bytes):",
        "if False:",
        "test_rfc9421.py::test_a_malformed_field_is_answered_400",
    ),
    Guard(
        RFC9421,
        "or parameters or (name",
        "or (name",
        "test_rfc9421.py::test_a_component_that_we_cannot_compute_is_refused",
    ),
    Guard(
        RFC9421,
        "if len(set(names)) != len(names):",
        "if False:",
        "test_rfc9421.py::test_a_component_covered_twice_is_refused",
    ),
    Guard(
        RFC9421,
        '({"@method", "content-digest"} if request.has_content else {"@method"})',
        '{"@method"}',
        "test_rfc9421.py::test_any_smaller_cover_is_refused",
    ),
    Guard(
        RFC9421,
        '({"@method", "content-digest"} if request.has_content else {"@method"})',
        '{"content-digest"}',
        "test_rfc9421.py::test_any_smaller_cover_is_refused",
    ),
    Guard(
        RFC9421,
        "if not any(choice <= names",
        "if False and not any(choice <= names",
        "test_rfc9421.py::test_any_smaller_cover_is_refused",
    ),
    Guard(
        RFC9421,
        '{"@authority", "@path", "@query"} if "?" in request.target else',
        "",
        "test_rfc9421.py::test_a_query_is_covered_where_the_path_stands_alone",
    ),
    Guard(
        RFC9421,
        'or type(parameters.get("created")) is not int:',
        ":",
        "test_rfc9421.py::test_keyid_and_created_are_required",
    ),
    Guard(
        RFC9421,
        'if type(parameters.get("expires", 0)) is not int:',
        "if False:",
        "test_rfc9421.py::test_keyid_and_created_are_required",
    ),
    Guard(RFC9421, '    check_key_id(parameters["keyid"])\n', "", "test_rfc9421.py::test_a_key_id_is_a_web_address"),
    Guard(RFC9421, "or algorithm not in ALGORITHMS:", ":", "test_rfc9421.py::test_an_unknown_alg_is_refused"),
    Guard(
        RFC9421,
        "(algorithm,) if algorithm else _DEFAULT",
        "_DEFAULT",
        "test_rfc9421.py::test_an_alg_that_does_not_fit_the_key_or_the_signature_is_refused",
    ),
    # What a proof proves
    Guard(
        PROOF,
        'if (key.id, key.owner, key.use) != (self.key_id, self.owner, "assertionMethod"):',
        "if False:",
        "test_proof.py::test_only_the_owners_own_key_for_proofs_counts",
    ),
    Guard(
        PROOF,
        "if not matches(",
        "if False and not matches(",
        "test_proof.py::test_any_change_to_the_document_is_noticed",
    ),
    Guard(
        PROOF, "[:MAX_PROOFS]", "", "test_proof.py::test_the_first_valid_proof_of_the_owner_counts_among_at_most_four"
    ),
    Guard(
        PROOF,
        "    _refuse_keywords(document)\n",
        "",
        "test_proof_context.py::test_keywords_that_rearrange_a_document_are_refused_wherever_they_are",
    ),
    Guard(
        PROOF,
        "or any(config.get(name) != value for name, value in _REQUIRED.items()):",
        ":",
        "test_proof.py::test_it_is_refused_even_if_the_owner_signed_the_change",
    ),
    Guard(
        PROOF,
        "if origin(key_id) != origin(owner):",
        "if False:",
        "test_proof.py::test_a_proof_with_any_member_changed_is_refused",
    ),
    Guard(
        PROOF,
        "(created is None or created > now + MAX_AHEAD)",
        "created is None",
        "test_proof.py::test_it_is_refused_even_if_the_owner_signed_the_change",
    ),
    Guard(
        PROOF,
        "(expires is None or expires <= now)",
        "expires is None",
        "test_proof.py::test_a_proof_holds_until_it_expires",
    ),
    Guard(
        PROOF,
        "if owner is None or named - {owner}:",
        "if owner is None:",
        "test_proof.py::test_a_good_signature_under_a_document_of_somebody_else_is_refused",
    ),
    Guard(
        PROOF,
        "if canonical(ours[: len(theirs)]) != canonical(theirs):",
        "if False:",
        "test_proof_context.py::test_a_context_that_does_not_begin_as_the_proofs_is_refused",
    ),
    Guard(
        PROOF,
        'if not isinstance(document.get("@context"), list):',
        "if False:",
        "test_proof_context.py::test_we_sign_only_what_has_an_array_for_its_context",
    ),
    # Whom we ask, and what we take from them
    Guard(
        CLIENT,
        "if address.host == self.home.host and (",
        "if False and (",
        "test_client.py::test_we_are_never_asked_by_ourselves",
    ),
    Guard(
        CLIENT,
        'if address.url.scheme != "https" and not self.allow_private:',
        "if False:",
        "test_client.py::test_http_is_for_private_networks_alone",
    ),
    Guard(
        CLIENT,
        'if address.url.scheme == "https" and onward',
        "if False and onward",
        "test_client.py::test_no_redirect_leads_from_https_to_http",
    ),
    Guard(
        CLIENT,
        "if origin(document.id) != origin(answer.url):",
        "if False:",
        "test_client.py::test_nobody_speaks_for_another",
    ),
    Guard(CLIENT, "            if document.id != stated:\n", "            if False:\n", "test_client.py"),
    Guard(CLIENT, "address.url in visited or", "", "test_client.py::test_nobody_goes_round_in_a_circle"),
    Guard(
        CLIENT,
        "or len(visited) > self.limits.redirects:",
        ":",
        "test_client.py::test_three_redirects_are_followed_and_not_four",
    ),
    Guard(
        CLIENT,
        "asyncio.timeout(self.limits.total)",
        "asyncio.timeout(99)",
        "test_knocking.py::test_an_inbox_that_hangs_is_given_up",
    ),
    Guard(
        CLIENT,
        'answer.status in (400, 401) or (first == "rfc9421" and answer.status >= 400):',
        "answer.status >= 400:",
        "test_knocking.py::test_a_host_that_does_not_understand_is_knocked_once_more_in_the_other_dialect",
    ),
    Guard(
        CLIENT,
        '        name.encode("idna")',
        "        pass",
        "test_client.py::test_a_name_that_nobody_could_look_up_is_not_looked_up",
    ),
    Guard(
        CLIENT, "    if not alike:\n", "    if False:\n", "test_client.py::test_what_is_no_web_address_is_not_asked_for"
    ),
    Guard(
        CLIENT,
        "read_head(chunks, self.limits.answer)",
        "read_head(chunks, 10**9)",
        "test_knocking.py::test_no_more_of_an_answer_is_read_than_an_operator_would",
    ),
    # Where the client may connect
    Guard(GUARD, '"%" not in address and ', "", "test_guard.py::test_an_address_of_a_special_kind_is_not_public"),
    Guard(
        GUARD,
        "if embedded := _embedded(address):",
        "if embedded := ():",
        "test_guard.py::test_an_embedded_address_is_as_public_as_it_is_by_itself",
    ),
    Guard(
        GUARD,
        "return address in _UNICAST_6 and not",
        "return not",
        "test_guard.py::test_an_address_of_a_special_kind_is_not_public",
    ),
    Guard(
        GUARD,
        "            self._check(address, host)\n",
        "            pass\n",
        "test_guard.py::test_one_private_address_among_several_refuses_them_all",
    ),
    Guard(
        GUARD,
        "        self._check(address, address)\n",
        "",
        "test_guard.py::test_no_socket_is_opened_that_must_not_be_connected",
    ),
    Guard(
        GUARD,
        "if not is_web_port(port):",
        "if False:",
        "test_guard.py::test_no_socket_is_opened_that_must_not_be_connected",
    ),
    Guard(GUARD, "and port not in _NOT_WEB", "", "test_guard.py::test_no_other_kind_of_server_is_spoken_to"),
    Guard(
        GUARD,
        "socket_factory=self.guard.open,",
        "",
        "test_client.py::test_neither_an_address_nor_a_redirect_leads_to_a_private_network",
    ),
    Guard(
        GUARD,
        "resolver=self.guard,",
        "",
        "test_guard.py::test_a_name_is_resolved_once_and_that_very_address_is_connected",
    ),
    Guard(
        GUARD,
        "asyncio.timeout(self.limits.dns)",
        "asyncio.timeout(99)",
        "test_limits.py::test_a_resolver_that_hangs_is_not_waited_for",
    ),
    Guard(
        GUARD,
        "        await places.acquire()\n",
        "",
        "test_guard.py::test_names_that_hang_keep_no_others_from_being_looked_up",
    ),
    Guard(
        GUARD,
        "call_soon_threadsafe(places.release)",
        "call_soon_threadsafe(print)",
        "test_guard.py::test_a_place_is_free_again_when_the_system_has_answered",
    ),
    Guard(
        GUARD,
        "allow_redirects=False",
        "allow_redirects=True",
        "test_knocking.py::test_a_delivery_does_not_follow_a_redirect",
    ),
    Guard(
        GUARD,
        "cookie_jar=aiohttp.DummyCookieJar(),",
        "",
        "test_knocking.py::test_deliveries_to_one_host_share_a_connection",
    ),
    Guard(
        GUARD,
        "trust_env=False",
        "trust_env=True",
        "test_knocking.py::test_no_proxy_of_the_environment_sees_what_we_send",
    ),
    Guard(
        GUARD,
        "if self.guard.is_crowded:",
        "if False:",
        "test_guard.py::test_connections_are_closed_after_use_when_there_are_too_many",
    ),
    Guard(
        GUARD, "limit_per_host=MAX_PER_HOST,", "", "test_limits.py::test_a_host_has_four_connections_of_ours_at_most"
    ),
    Guard(
        GUARD,
        "ssl=self.tls,",
        "ssl=False,",
        "test_limits.py::test_a_certificate_that_nobody_vouches_for_is_not_trusted",
    ),
    Guard(
        GUARD,
        "auto_decompress=False",
        "auto_decompress=True",
        "test_limits.py::test_what_is_compressed_is_small_when_it_is_not",
    ),
    # Who says what was revoked
    Guard(
        VERDICTS,
        "or origin(upcoming) != origin(actor.id):",
        ":",
        "test_verdicts.py::test_what_somebody_revoked_is_for_their_own_server_to_say",
    ),
    # What two have signed
    Guard(
        RESPONSES,
        'if (row.to, row.offer, row.via) != (activity.actor, offer, "agreement"):',
        "if False:",
        "test_agreements.py::test_a_counter_offer_that_is_none_changes_nothing",
    ),
    Guard(
        RESPONSES,
        'if row.state in ("accepted", "declined"):',
        "if False:",
        "test_agreements.py::test_a_counter_offer_to_what_was_declined_comes_too_late",
    ),
    Guard(
        RESPONSES,
        "if answered is None or not _was_replaced(tx.db, answered):",
        "if True:",
        "test_agreements.py::test_a_counter_offer_to_what_was_replaced_meanwhile_comes_too_late",
    ),
    Guard(
        RESPONSES,
        'if len(body or b"") > MAX_SIGNED:',
        "if False:",
        "test_agreements.py::test_bad_terms_of_a_counter_offer_are_sent_back_with_the_reason",
    ),
    Guard(
        RESPONSES,
        "return known.proven(tx, document).json",
        "return document.json",
        "test_agreements.py::test_a_response_whose_proof_does_not_hold_is_sent_back",
    ),
    Guard(
        RESPONSES,
        'return row if row.state in ("open", "withdrawn") else None',
        "return row",
        "test_agreements.py::test_an_accept_of_what_was_countered_is_of_no_effect",
    ),
    Guard(
        RESPONSES,
        "if blocks.exists(tx.db, to, by):",
        "if False:",
        "test_agreements.py::test_between_people_who_block_each_other_there_are_no_talks",
    ),
    Guard(
        AGREEMENT,
        'if accepted.uris("object") != (offered.id,):',
        "if False:",
        "test_agreement.py::test_two_documents_that_do_not_belong_together_are_none",
    ),
    Guard(
        AGREEMENT,
        'if by not in offered.uris("to") or by == offered.require("actor"):',
        "if False:",
        "test_agreement.py::test_two_documents_that_do_not_belong_together_are_none",
    ),
    Guard(
        AGREEMENT,
        "if not are_same(agreement, Agreement.read(proposed)):",
        "if False:",
        "test_agreement.py::test_two_documents_that_do_not_belong_together_are_none",
    ),
    Guard(
        AGREEMENTS,
        "known.check_proof(db, document, now)",
        "pass",
        "test_agreements.py::test_whatever_is_altered_after_signing_is_found",
    ),
    Guard(
        AGREEMENTS,
        'or not _says(stored, row.accepted["result"])',
        "",
        "test_agreements.py::test_an_altered_copy_is_found_beside_sound_signatures",
    ),
    Guard(
        AGREEMENTS,
        "if not wire.are_same(wire.Agreement.read(result), row.proposed):",
        "if False:",
        "test_responses.py::test_what_comes_back_as_agreed_is_what_was_proposed",
    ),
    Guard(
        AGREEMENTS, "or said.author != row.proposer or", "or", "test_agreements.py::test_nobody_else_confirms_anything"
    ),
    Guard(
        AGREEMENTS,
        "if row is None or party not in (row.proposer, row.responder):",
        "if row is None:",
        "test_agreements.py::test_nobody_opens_a_project_for_what_others_agreed_on",
    ),
    Guard(
        COMMITMENT,
        "if owner(document) != author or",
        "if",
        "test_commitment.py::test_what_is_not_plainly_between_two_is_no_commitment",
    ),
    Guard(
        COMMITMENT,
        "or origin(document.id) != origin(author):",
        ":",
        "test_commitment.py::test_what_is_not_plainly_between_two_is_no_commitment",
    ),
    Guard(
        COMMITMENT,
        "if len(msgspec.json.encode(document.json)) > MAX_SIZE:",
        "if False:",
        "test_commitment.py::test_what_is_not_plainly_between_two_is_no_commitment",
    ),
    Guard(
        COMMITMENT,
        "check_sole_form(document.json)",
        "pass",
        "test_commitment.py::test_what_has_not_just_one_proof_has_no_name",
    ),
    Guard(
        COMMITMENT,
        'if document.uris("audience") != (project,):',
        "if False:",
        "test_commitment.py::test_what_is_not_plainly_between_two_is_no_commitment",
    ),
    Guard(
        COMMITMENT,
        "if provider == receiver:",
        "if False:",
        "test_commitment.py::test_what_is_not_plainly_between_two_is_no_commitment",
    ),
    Guard(
        COMMITMENT,
        "if author not in (provider, receiver):",
        "if False:",
        "test_commitment.py::test_what_is_not_plainly_between_two_is_no_commitment",
    ),
    Guard(
        PROMISES,
        "projects.check_may_post(tx.db, said.project, activity.actor, activity)",
        "pass",
        "test_commitments.py::test_what_rests_on_a_role_that_is_not_known_yet_waits",
    ),
    Guard(
        PROMISES, "    known.proven(tx, document)\n", "", "test_commitments.py::test_nobody_promises_in_anothers_name"
    ),
    Guard(
        PROMISES,
        "if activity.actor != said.other:",
        "if False:",
        "test_commitments.py::test_nobody_else_signs_for_the_other",
    ),
    Guard(
        PROMISES,
        "accept = known.proven(tx, as_sent(tx.db, activity))",
        "accept = as_sent(tx.db, activity)",
        "test_commitments.py::test_an_accept_without_a_proof_of_its_own_is_no_signature",
    ),
    Guard(
        PROMISES,
        "if row.hash != hash_of(document.json):",
        "if False:",
        "test_commitments.py::test_a_signature_is_under_the_very_words",
    ),
    Guard(
        PROMISES,
        'if row.accepted is None and row.state != "declined":',
        'if row.state != "declined":',
        "test_commitments.py::test_a_second_signature_and_a_late_no_change_nothing",
    ),
    Guard(
        PROMISES,
        ' and row.state != "declined":',
        ":",
        "test_commitments.py::test_whoever_declined_does_not_sign_afterwards",
    ),
    Guard(
        PROMISES,
        "    _check_author(tx.db, said)\n    accept",
        "    accept",
        "test_commitments.py::test_whoever_is_removed_meanwhile_neither_signs_nor_is_signed_for",
    ),
    Guard(
        PROMISES,
        "if row is None or row.other != activity.actor:",
        "if row is None:",
        "test_commitments.py::test_nobody_else_declines_or_takes_back",
    ),
    Guard(
        PROMISES,
        "if row is None or row.author != activity.actor:",
        "if row is None:",
        "test_commitments.py::test_nobody_else_declines_or_takes_back",
    ),
    Guard(
        PROMISES,
        "if waiting >= MAX_WAITING or",
        "if",
        "test_commitments.py::test_nobody_fills_a_project_with_what_nobody_answers",
    ),
    Guard(
        PROMISES,
        "if before and (before.project, before.provider, before.receiver) != parties:",
        "if False:",
        "test_commitments.py::test_a_new_version_is_between_the_same_two",
    ),
    Guard(
        PROMISES,
        "if said.previous and before is None:",
        "if False:",
        "test_commitments.py::test_a_new_version_waits_for_the_one_that_it_replaces",
    ),
    Guard(
        COMMITMENTS,
        "while last and not last.is_over and",
        "while last and",
        "test_commitments.py::test_what_is_kept_stays_so_whatever_was_signed_meanwhile",
    ),
    Guard(
        FULFILMENT,
        "if (row.provider, row.receiver) != (said.provider, said.receiver):",
        "if False:",
        "test_commitments.py::test_nobody_else_says_that_it_was_kept_or_released",
    ),
    Guard(
        FULFILMENT,
        "or row.receiver != activity.actor:",
        ":",
        "test_commitments.py::test_nobody_else_says_that_it_was_kept_or_released",
    ),
    Guard(
        FULFILMENT,
        "if _is_news(row, said):",
        "if True:",
        "test_commitments.py::test_what_was_said_before_comes_too_late",
    ),
    Guard(
        FULFILMENT,
        "known.proven(tx, document)",
        "pass",
        "test_commitments.py::test_that_it_was_kept_is_proven",
    ),
    Guard(
        BEGINNINGS,
        "any(_is_same(said, one) for one in expected)",
        "True",
        "test_beginnings.py::test_nothing_else_is_signed_for_anybody",
    ),
    Guard(
        BEGINNINGS,
        " and not _is_signed(tx.db, said):",
        ":",
        "test_beginnings.py::test_what_was_signed_once_is_not_signed_again",
    ),
    Guard(BEGINNINGS, "or said.previous or", "or", "test_beginnings.py::test_nothing_else_is_signed_for_anybody"),
    # What is read after a sleep (P-173)
    Guard(
        INBOX,
        "if sent.type in LISTED and sent.actor == actor and",
        "if sent.type in LISTED and",
        "test_outboxes.py::test_what_an_outbox_says_of_others_is_not_believed",
    ),
    Guard(
        INBOX,
        "if sent.type in LISTED and sent.actor",
        "if sent.actor",
        "test_outboxes.py::test_what_an_outbox_says_of_others_is_not_believed",
    ),
    Guard(
        INBOX,
        ' and origin(document.require("id")) == origin(actor):',
        ":",
        "test_outboxes.py::test_what_an_outbox_says_of_others_is_not_believed",
    ),
    Guard(
        OUTBOXES,
        "if origin(outbox) != origin(visit.whom):",
        "if False:",
        "test_outboxes.py::test_an_outbox_on_another_server_is_nobodys",
    ),
    Guard(
        OUTBOXES,
        "if origin(one) == origin(visit.whom):",
        "if True:",
        "test_outboxes.py::test_what_an_outbox_says_of_others_is_not_believed",
    ),
    Guard(
        OUTBOXES,
        "min(visit.pages + PAGES, MAX_PAGES)",
        "min(visit.pages + PAGES, MAX_PAGES * 9)",
        "test_outboxes.py::test_an_outbox_without_an_end_is_read_for_some_pages",
    ),
    Guard(
        OUTBOXES,
        "and not _is_crowded(db)",
        "",
        "test_outboxes.py::test_nothing_more_is_looked_for_while_much_waits_to_be_worked_through",
    ),
    Guard(
        GREETINGS,
        "settling.wake(tx, host(activity.actor))",
        'settling.wake(tx, host(activity.uri("object") or activity.actor))',
        "test_greetings.py::test_nobody_wakes_the_lane_to_another_server",
    ),
    # Who follows whom (P-170)
    Guard(
        RECONCILING,
        "Actor.followers == said.collection, ",
        "",
        "test_reconciling.py::test_a_sender_speaks_of_its_own_followers_alone",
    ),
    Guard(
        "activitypub/synchronization.py",
        "or origin(collection) != origin(url)",
        "",
        "test_reconciling.py::test_a_sender_speaks_of_its_own_followers_alone",
    ),
    Guard(
        RECONCILING,
        "if digest_of(listed) != said.digest:",
        "if False:",
        "test_reconciling.py::test_a_list_that_is_not_the_one_announced_ends_nothing",
    ),
    Guard(
        RECONCILING,
        "(asked and here.now() < asked + AGAIN) or",
        "",
        "test_reconciling.py::test_the_same_is_not_asked_again_within_the_hour",
    ),
    Guard(
        "web/collections.py",
        "Actor.host == host(reader)",
        "Actor.id > 0",
        "test_reconciling.py::test_a_server_is_told_of_its_own_people_alone",
    ),
    Guard(MOVING, "if activity.actor not in (old, new) or old == new:", "if False:", f"test_moving.py::{ONE_SIDED}"),
    Guard(
        MOVING,
        " or old not in Profile.read(Document(target.document)).also_known_as:",
        ":",
        f"test_moving.py::{ONE_SIDED}",
    ),
    Guard(MOVING, "(activity.actor == new or _is_fresh(tx, before))", "False", f"test_moving.py::{ONE_SIDED}"),
    Guard(
        MOVING,
        "if not people or _is_cooling_down(tx, old):",
        "if not people:",
        "test_moving.py::test_who_moved_lately_is_not_followed_on",
    ),
    Guard(
        MOVING,
        "if actor.uri not in Profile.read(Document(target.document)).also_known_as:",
        "if False:",
        "test_faces.py::test_nobody_is_led_to_an_actor_that_does_not_say_that_it_is_the_project",
    ),
    Guard(
        "coop/faces.py",
        "return project.face == _face_here(db, project.uri)",
        "return known.is_local(db, project.face)",
        "test_faces.py::test_a_lead_cannot_make_anybody_else_the_face",
    ),
    Guard(
        "coop/history.py",
        " and statement.role in _INVITED_BY_USHERS",
        "",
        "test_ushers.py::test_an_usher_asks_in_members_and_guests_and_nobody_who_could_ask_in_others",
    ),
    Guard(
        "coop/history.py",
        '(before == "usher" and role not in ("lead", "usher"))',
        "False",
        "test_ushers.py::test_an_invitation_that_an_usher_makes_while_being_one_no_more_counts_for_nothing",
    ),
    Guard(KEEPSAKES, "row.id < kept.id and ", "", f"test_keepsakes.py::{NOTHING_NEW}"),
    Guard(
        KEEPSAKES, " and (row.updated is None or row.updated <= kept.since)", "", f"test_keepsakes.py::{NOTHING_NEW}"
    ),
    # Who is found, and who may know it
    Guard(
        WHO,
        "and_(Card.findable, _is_introduced(account))",
        "_is_introduced(account)",
        "test_who.py::test_who_does_not_want_to_be_found_by_strangers_is_not",
    ),
    Guard(
        WHO,
        "Actor.gone.is_(None), ~_is_blocked(account)",
        "Actor.gone.is_(None)",
        "test_who.py::test_nobody_is_found_across_a_block_or_of_a_blocked_server",
    ),
    Guard(
        PATHS,
        "or_(Project.public, Project.uri.in_(mine))",
        "or_(Project.public, Project.uri.not_in(mine))",
        "test_who.py::test_what_is_done_in_a_project_that_we_are_not_in_is_not_told",
    ),
    Guard(
        CIRCLES,
        "and asked[where] <= OF_ONE_SITE",
        "",
        "test_circles.py::test_few_of_one_site_are_asked_at_once_and_nobody_twice",
    ),
    Guard(CIRCLES, ", check=_check", "", "test_circles.py::test_what_is_nobody_is_not_kept"),
    Guard(
        CIRCLES,
        "html.safe_url(uri) == uri and bool(origin(uri))",
        "True",
        "test_circles.py::test_endless_and_odd_collections_end_somewhere",
    ),
    Guard(
        SEARCH,
        "feed.readable(db, _objects(db, numbers), reader)",
        "_objects(db, numbers)",
        "test_search.py::test_nobody_finds_what_they_may_not_read",
    ),
    Guard(
        SEARCH,
        "    _remove(tx, event.object.id)\n    _take_in",
        "    _take_in",
        "test_search.py::test_an_edit_is_found_by_its_new_words_alone_and_a_deleted_post_by_none",
    ),
)


def main(word: str = "") -> int:
    chosen = [one for one in GUARDS if word in one.file or word in one.text]
    missing = [one for one in chosen if one.is_missing]
    for guard in missing:
        print(f"not found: {guard}")
    if missing or not _pass({one.tests for one in chosen}):
        return 1
    os.environ["CI"] = "true"  # so that chance decides nothing, and leaves nothing behind
    for name in SLOW:
        import_module(name)
    under_way: dict[int, Guard] = {}
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, guard in enumerate(chosen):
            if len(under_way) == AT_ONCE:
                unnoticed += not _is_noticed(under_way)
            under_way[_start(guard, f"{folder}/{number}")] = guard
        while under_way:
            unnoticed += not _is_noticed(under_way)
    print(f"{len(chosen) - unnoticed} of {len(chosen)} guards are noticed when they are gone")
    return 1 if unnoticed else 0


def _pass(tests: Collection[str]) -> bool:
    """Whether they do while all guards are in place: what fails anyway notices nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(AT_ONCE), "--dist", "loadgroup", *PLAIN, *sorted(tests)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def _start(guard: Guard, folder: str) -> int:
    """The process that runs the tests of a guard without it."""
    process = os.fork()
    if process:
        return process
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.meta_path.insert(0, Without(guard))
    verdict = BROKEN
    try:
        verdict = pytest.main(["-x", "--timeout", "30", "--basetemp", folder, *PLAIN, *PREPARED, guard.tests])
    finally:
        os._exit(verdict)


def _is_noticed(under_way: dict[int, Guard]) -> bool:
    """Wait for the next process that ends, and tell what came of it."""
    process, status = os.wait()
    guard = under_way.pop(process)
    verdict = {0: "UNNOTICED", 1: "noticed"}.get(os.waitstatus_to_exitcode(status), "no test")
    print(f"{verdict:10} {guard.file}: {' '.join(guard.text.split())[:80]}", flush=True)
    return verdict == "noticed"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
