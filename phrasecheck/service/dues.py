"""The reports whose week or month is over, made by the server itself (chores.py asks every ten minutes).

In: the desk. Out: files in settings.feedback.folder. The one decision: it asks what is due instead of waiting for an hour of the day, so a server that was down
catches up; of several servers over one store each report is made by the one that takes it first (store/schedules.py).
"""

import logging

from phrasecheck.service.book import book
from phrasecheck.service.desk import Desk

log = logging.getLogger(__name__)


def make_reports(here: Desk) -> None:
    """All that is due now; loads nothing when that is nothing. What cannot be made is tried again the next time."""
    if not here.store.schedules.due(here.settings.feedback.utc_offset):
        return
    from phrasecheck.handout import make_due

    try:
        for path in make_due(here.store, book(here), here.settings):
            log.info("report made: %s", path)
    except Exception:
        log.exception("a scheduled report could not be made")
