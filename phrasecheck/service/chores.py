"""What the service does by itself, in a thread: sends messages that are due, takes in uploads that somebody left half-way, throws away what has expired,
gives memory back.

In: a Desk. Out: nothing but what the store then says. The one decision: every chore asks the store what there is to do and may be done by several web
processes at once, or be cut off anywhere; the store's claims keep them apart.
"""

import logging
from threading import Event, Thread
from time import monotonic

from phrasecheck.service import webhooks
from phrasecheck.service.desk import Desk
from phrasecheck.service.dues import make_reports
from phrasecheck.service.heap import give_back
from phrasecheck.service.intake import take_in
from phrasecheck.store.tables import Outcome, UploadItemRow

EVERY_S = 2.0
TIDY_S = 60.0
SWEEP_S = 600.0
log = logging.getLogger(__name__)


class Chores:
    """The thread, between `start` and `stop`."""

    def __init__(self, here: Desk) -> None:
        self._here = here
        self._stop = Event()
        self._thread = Thread(target=self._run, name="chores", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """What is being sent is sent; then it ends."""
        self._stop.set()
        self._thread.join(webhooks.WAIT_S + 5)

    def _run(self) -> None:
        swept, tidied = -SWEEP_S, monotonic()
        while not self._stop.wait(EVERY_S):
            if monotonic() - tidied > TIDY_S:
                give_back()
                tidied = monotonic()
            try:
                do(self._here)
                if monotonic() - swept > SWEEP_S:
                    sweep(self._here)
                    swept = monotonic()
            except Exception as error:  # the database is away: what is to be done stays to be done
                log.warning("chores: %s", error)


def do(here: Desk) -> None:
    """Once over everything that is to be done."""
    if here.store.webhooks.any_due():  # most of the time there are none, and a client reads all certificates
        with webhooks.new_client() as client:
            webhooks.send_due(here.store, here.settings.service.webhook_networks, client)
    for upload_id in here.store.uploads.stranded():
        try:
            take_in(here, upload_id)
        except Exception as error:
            log.error("upload %s cannot be taken in", upload_id, exc_info=error)
            _give_up(here, upload_id, error)


def sweep(here: Desk) -> None:
    """What has expired is gone; reports whose time has come are made."""
    here.store.uploads.sweep()
    here.store.webhooks.sweep()
    here.store.retention.run_once_a_day(here.settings.privacy)
    make_reports(here)


def _give_up(here: Desk, upload_id: str, error: Exception) -> None:
    """What could not be taken in until it expired is refused, for otherwise it would be tried for ever."""
    row = here.store.uploads.get(upload_id)
    if row.expires_at < here.store.database.now():
        told = f"收下后处理不了：{error}。请重新上传，若再失败请告诉维护人员"
        here.store.uploads.add(upload_id, UploadItemRow(number=1_000_000, name=row.name, outcome=Outcome.REFUSED, call_id=None, told=told))
        here.store.uploads.taken(row)
