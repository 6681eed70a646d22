"""Who may use which route: the one table. security.admit reads it before every route, WebSockets too; tests/service/test_access.py walks all of it.

In: a route's name. Out: its Rule. The one decision: what is not in the table is closed, and API tokens reach only the rows that name a scope.

How to read it: `page(LEAD, ADMIN)` is for signed-in people with these permissions; `api(Scope.READ, LEAD)` also for a token of such a person with
that scope; PUBLIC is for everybody, signed in or not. Which calls of those a person sees is scope.py's matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from phrasecheck.store.states import Permission

ADMIN, LEAD, INSPECTOR = Permission.ADMIN, Permission.LEAD, Permission.INSPECTOR
TRAINER, SUPERVISOR, AGENT = Permission.TRAINER, Permission.SUPERVISOR, Permission.AGENT
EVERYONE = frozenset(Permission)  # who is signed in
QA = (LEAD, INSPECTOR)
STAFF = (ADMIN, LEAD, INSPECTOR, TRAINER, SUPERVISOR)  # all but the agents


class Scope(StrEnum):
    """What an API token may be used for; never for more than its owner may."""

    READ = "read"  # calls, results, reports
    UPLOAD = "upload"  # recordings and their metadata
    REVIEW = "review"  # verdicts, allow-list, lexicon, rescoring
    LIVE = "live"  # calls in progress: send sound, listen to alerts
    METRICS = "metrics"  # /metrics


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom a route is for; `who` None: everybody. `scope` None: not for API tokens."""

    who: frozenset[Permission] | None
    scope: Scope | None = None

    def allows(self, permission: Permission | None, scopes: frozenset[str] | None = None) -> bool:
        """May a visitor (permission None: not signed in) come in; with a token of these scopes (None: with a browser's session)?"""
        if self.who is None:
            return True
        if permission not in self.who:
            return False
        return scopes is None or (self.scope is not None and self.scope in scopes)


PUBLIC = Rule(None)


def page(*permissions: Permission) -> Rule:
    """For people in a browser."""
    return Rule(frozenset(permissions))


def api(scope: Scope, *permissions: Permission) -> Rule:
    """For people in a browser (with the CSRF header) and for their tokens of this scope."""
    return Rule(frozenset(permissions), scope)


ACCESS: Mapping[str, Rule] = {
    # accounts
    "static": PUBLIC,
    "sign_in": PUBLIC,
    "sign_in_send": PUBLIC,
    "welcome": PUBLIC,  # the link is the key
    "welcome_send": PUBLIC,
    "invitation": PUBLIC,
    "invitation_send": PUBLIC,
    "language_send": PUBLIC,
    "home": page(*EVERYONE),
    "sign_out_send": page(*EVERYONE),
    "tokens": page(*EVERYONE),
    "token_issue_send": page(*EVERYONE),
    "token_revoke_send": page(*EVERYONE),
    "users": page(ADMIN),
    "user_invite_send": page(ADMIN),
    "user": page(ADMIN),
    "user_change_send": page(ADMIN),
    "user_reinvite_send": page(ADMIN),
    "user_close_send": page(ADMIN),
    "api_me": api(Scope.READ, *EVERYONE),
    # operation
    "health": PUBLIC,
    "ready": PUBLIC,
    "metrics": api(Scope.METRICS, ADMIN),
    "openapi": api(Scope.READ, *EVERYONE),
    # the trail
    "audit": page(ADMIN, LEAD),
    "audit_verify_send": page(ADMIN, LEAD),
    # uploads
    "uploads": page(ADMIN, *QA),
    "uploads_template": page(ADMIN, *QA),
    "api_upload_options": api(Scope.UPLOAD, ADMIN, *QA),
    "api_upload_begin": api(Scope.UPLOAD, ADMIN, *QA),
    "api_upload_offset": api(Scope.UPLOAD, ADMIN, *QA),
    "api_upload_part": api(Scope.UPLOAD, ADMIN, *QA),
    "api_upload": api(Scope.UPLOAD, ADMIN, *QA),
    "api_upload_drop": api(Scope.UPLOAD, ADMIN, *QA),
    "queue": page(ADMIN, *QA),
    "queue_again_send": page(ADMIN, *QA),
    "queue_failed_send": page(ADMIN, *QA),
    "queue_release_send": page(ADMIN, *QA),
    "queue_cancel_send": page(ADMIN, *QA),
    "api_call_add": api(Scope.UPLOAD, ADMIN, *QA),
    "api_call_again": api(Scope.UPLOAD, ADMIN, *QA),
    "api_call_release": api(Scope.UPLOAD, ADMIN, *QA),
    "api_queue": api(Scope.READ, ADMIN, *QA),
    "api_calls": api(Scope.READ, *EVERYONE),
    "api_call": api(Scope.READ, *EVERYONE),
    "api_call_result": api(Scope.READ, *EVERYONE),
    "webhooks": page(ADMIN),
    "webhook_add_send": page(ADMIN),
    "webhook_end_send": page(ADMIN),
    "webhook_again_send": page(ADMIN),
    # reports
    "feedback": page(*EVERYONE),
    "feedback_file": api(Scope.READ, *EVERYONE),  # an agent gets his own, a team's people their team's
    "feedback_weights": page(LEAD, ADMIN, TRAINER),
    "feedback_made": page(LEAD, ADMIN),
    "schedule_add_send": page(LEAD, ADMIN),
    "schedule_end_send": page(LEAD, ADMIN),
    "selftest": page(*EVERYONE),
    "selftest_answer": page(*EVERYONE),
    # finding and judging
    "calls": page(*EVERYONE),
    "found": page(*EVERYONE),
    "calls_export": page(*EVERYONE),
    "filter_save_send": page(*EVERYONE),
    "filter_delete_send": page(*EVERYONE),
    "call": page(*EVERYONE),
    "call_audio": api(Scope.READ, *EVERYONE),
    "call_wave": page(*EVERYONE),
    "api_utterances": api(Scope.READ, *EVERYONE),
    "api_hits": api(Scope.READ, *EVERYONE),
    "review_send": page(*QA, AGENT),
    "api_review": api(Scope.REVIEW, *QA, AGENT),
    "appeals": page(*QA, SUPERVISOR, AGENT),
    "allowances": page(*QA),
    "allowance_add_send": page(*QA),
    "allowance_remove_send": page(*QA),
    # figures, lexicon, judging again
    "dashboard": page(*STAFF),
    "lexicon": page(*EVERYONE),
    "phrase": page(*EVERYONE),
    "bench": page(*QA, TRAINER, SUPERVISOR, ADMIN),
    "bench_send": page(*QA, TRAINER, SUPERVISOR, ADMIN),
    "lexicon_edit": page(LEAD),
    "lexicon_phrase": page(LEAD),
    "lexicon_phrase_send": page(LEAD),
    "lexicon_remove_send": page(LEAD),
    "lexicon_yaml": page(LEAD),
    "lexicon_yaml_send": page(LEAD),
    "lexicon_versions": page(*QA, TRAINER, ADMIN),
    "lexicon_compare": page(*QA, TRAINER, ADMIN),
    "lexicon_activate_send": page(LEAD),
    "api_lexicon": api(Scope.READ, *EVERYONE),
    "api_lexicon_version": api(Scope.READ, *QA, TRAINER, ADMIN),
    "rescores": page(*QA),
    "rescore": page(*QA),
    "rescore_begin_send": page(LEAD),
    "rescore_apply_send": page(LEAD),
    "rescore_cancel_send": page(LEAD),
    "api_rescore": api(Scope.READ, *QA),
    "api_rescore_changes": api(Scope.READ, LEAD),  # texts as they were said
    "api_rescore_begin": api(Scope.REVIEW, LEAD),
    "api_rescore_apply": api(Scope.REVIEW, LEAD),
    # calls in progress
    "live_own": api(Scope.LIVE, ADMIN, LEAD, SUPERVISOR),
    "live_twilio": api(Scope.LIVE, ADMIN, LEAD, SUPERVISOR),
    "live_freeswitch": api(Scope.LIVE, ADMIN, LEAD, SUPERVISOR),
    "live_announce": api(Scope.LIVE, ADMIN, LEAD, SUPERVISOR),
    "live_calls": api(Scope.LIVE, LEAD, SUPERVISOR, *QA, TRAINER, AGENT),
    "live_call_events": api(Scope.LIVE, LEAD, SUPERVISOR, *QA, TRAINER, AGENT),
    "live_call": page(*QA, TRAINER, SUPERVISOR, AGENT),
    "wall": page(LEAD, SUPERVISOR),
    "wall_events": api(Scope.LIVE, LEAD, SUPERVISOR),
    "wall_note_send": api(Scope.LIVE, LEAD, SUPERVISOR),
    "wall_message_send": page(LEAD),
    "hint": page(AGENT),
    "hint_events": api(Scope.LIVE, AGENT),
    # sampling, second opinions
    "sampling": page(*QA),  # an inspector is led to his queue
    "sampling_send": page(LEAD),
    "sampling_hand_over_send": page(LEAD),
    "queue_mine": page(*QA),
    "task": page(*QA),
    "opinion_send": page(*QA),
    "task_done_send": page(*QA),
    "agreement": page(LEAD),
    # retention
    "retention": page(LEAD, ADMIN),
    "hold_send": page(LEAD, ADMIN),
    "retention_run_send": page(ADMIN),
}
