"""What people have signed, who follows whom, who is found."""

from __future__ import annotations

from tests.guards.guard import Guard

INBOX = "federation/inbox.py"
VERDICTS = "coop/verdicts.py"
OUTBOXES = "coop/outboxes.py"
ROUNDS = "coop/rounds.py"
GREETINGS = "coop/greetings.py"
RECONCILING = "coop/reconciling.py"
MOVING = "coop/moving.py"
KEEPSAKES = "coop/keepsakes.py"
WHO = "coop/who.py"
PATHS = "coop/paths.py"
CIRCLES = "coop/circles.py"
SEARCH = "coop/search.py"
AGREEMENT = "activitypub/agreement.py"
RESPONSES = "coop/responses.py"
AGREEMENTS = "coop/agreements.py"
COMMITMENT = "activitypub/commitment.py"
PROMISES = "coop/promises.py"
FULFILMENT = "coop/fulfilment.py"
BEGINNINGS = "coop/beginnings.py"
COMMITMENTS = "coop/commitments.py"
IDENTITIES = "coop/identities.py"
WITNESSES = "coop/witnesses.py"
WITNESS = "activitypub/witness.py"
NO_WITNESSES = "test_the_two_whom_it_is_about_are_no_witnesses_nor_is_who_is_blocked_or_no_studio"
SEEN_WHEN = "test_what_a_witness_says_tells_whose_key_was_seen_when"
ONE_SIDED = "test_nobody_is_led_to_where_only_one_of_them_says_so"
NOTHING_NEW = "test_of_two_who_share_a_server_the_one_who_left_sees_nothing_new_nor_what_an_old_post_says_now"

GUARDS = (
    # Who says what was revoked
    Guard(
        VERDICTS,
        "or origin(upcoming) != origin(actor.id):",
        ":",
        "test_verdicts.py::test_what_somebody_revoked_is_for_their_own_server_to_say",
    ),
    # Who is told of keys, and what somebody else's word is good for
    Guard(
        IDENTITIES,
        " - identity.signing(said)",
        "",
        "test_witnesses.py::test_a_server_cannot_make_its_people_somebody_elsewhere_by_their_signing_key",
    ),
    Guard(
        WITNESSES,
        "select(Actor.aware).where(",
        "select(Actor.uri).where(",
        "test_witnesses.py::test_nobody_else_is_told_and_of_nothing_else",
    ),
    Guard(WITNESSES, "Actor.host.not_in(parties))", ")", f"test_witnesses.py::{NO_WITNESSES}"),
    Guard(WITNESSES, "others = (Actor.aware, ", "others = (", f"test_witnesses.py::{NO_WITNESSES}"),
    Guard(WITNESSES, "where(*others, open_ones)", "where(*others)", f"test_witnesses.py::{NO_WITNESSES}"),
    Guard(
        WITNESSES,
        "[:MAX_ASKED]",
        "",
        "test_witnesses.py::test_of_each_site_one_is_asked_and_no_more_than_a_few",
    ),
    Guard(
        WITNESSES,
        "by_site.setdefault(site(host(uri)),",
        "by_site.setdefault(host(uri),",
        "test_witnesses.py::test_of_each_site_one_is_asked_and_no_more_than_a_few",
    ),
    Guard(
        WITNESSES,
        'if live.verdict != "unknown":',
        "if True:",
        "test_witnesses.py::test_a_giver_whose_key_is_a_former_one_leaves_it_to_others",
    ),
    Guard(
        WITNESSES,
        "if key is not None and keys.write_multikey(said.key.public) != keys.write_multikey(key.public):",
        "if False:",
        "test_witnesses.py::test_a_witness_who_saw_another_key_is_told_of_as_such",
    ),
    Guard(WITNESS, "found[0].id != key_id or", "", f"test_witnesses.py::{SEEN_WHEN}"),
    Guard(WITNESS, "not first <= last <= now + MAX_AHEAD", "False", f"test_witnesses.py::{SEEN_WHEN}"),
    Guard(
        WITNESS,
        "name: actor.json[name] for name in _TOLD if name in actor.json",
        "**actor.json",
        "test_witnesses.py::test_a_studio_is_told_when_a_key_was_seen_and_no_more_of_its_owner",
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
        PROMISES,
        "    vouchers.proven(tx, document, said.project)\n",
        "",
        "test_commitments.py::test_nobody_promises_in_anothers_name",
    ),
    Guard(
        PROMISES,
        "if activity.actor != said.other:",
        "if False:",
        "test_commitments.py::test_nobody_else_signs_for_the_other",
    ),
    Guard(
        PROMISES,
        "    check_signed(tx, whole, said.project)\n",
        "",
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
        "    _check_author(tx.db, said)\n    check_signed",
        "    check_signed",
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
        "vouchers.proven(tx, document, said.project)",
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
        ROUNDS,
        "if not is_beside(collection, visit.whom):",
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
        ROUNDS,
        "if following and pages < most:",
        "if following:",
        "test_outboxes.py::test_an_outbox_without_an_end_is_read_for_some_pages",
    ),
    Guard(
        ROUNDS,
        "Budget(here.now() + TURN, REQUESTS)",
        "Budget(here.now() + TURN * 99, REQUESTS * 99)",
        "test_outboxes.py::test_a_page_of_more_addresses_than_a_turn_has_requests_is_read_in_several",
    ),
    Guard(
        ROUNDS,
        "if silent:",
        "if False:",
        "test_conversations.py::test_a_silent_server_keeps_nobody_waiting_and_is_given_up_soon",
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
        "Actor.gone.is_(None), ~blocks.shuts_out(account)",
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
        "    _remove(tx, event.object.id)\n    put",
        "    put",
        "test_search.py::test_an_edit_is_found_by_its_new_words_alone_and_a_deleted_post_by_none",
    ),
)
