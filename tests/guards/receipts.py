"""What may come in, from whom, and what is done with it."""

from __future__ import annotations

from tests.guards.guard import Guard

INBOX = "federation/inbox.py"
KEYRING = "federation/keyring.py"
RECEIPTS = "federation/receipts.py"
HINTS = "federation/hints.py"
FORWARDING = "federation/forwarding.py"
ACTORS = "federation/actors.py"
INSTANCE = "federation/instance.py"
DISCOVERY = "federation/discovery.py"
ORIGIN = "activitypub/origin.py"
WEB = "web/activitypub.py"
LIMITS = "web/limits.py"
ALLOWANCE = "federation/allowance.py"

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
        "if await _names_a_blocked_key(here, headers):",
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
        "home = site(host(actor))\n            if",
        "home = host(actor)\n            if",
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
        "early or not receipt.proven or",
        "early or",
        "test_hints.py::test_a_hint_that_leads_nowhere_is_dropped_at_last",
    ),
    Guard(
        RECEIPTS,
        " or _is_crowded(tx, receipt.actor)",
        "",
        "test_receipts.py::test_one_site_leaves_the_operator_no_more_than_can_be_looked_at",
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
    Guard(ORIGIN, "if _depth(activity) > _MAX_NESTING:", "if False:", "test_origin.py"),
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
)
