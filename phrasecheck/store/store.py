"""The Store: one database and one place for recordings, with a part for each noun.

In: StoreSettings. Out: a Store whose tables are of this version. The one decision: SQLite and PostgreSQL are one code; the contract suite runs on both
(tests/contracts/test_store.py).
"""

from dataclasses import dataclass
from datetime import timedelta

from phrasecheck.settings import StoreSettings
from phrasecheck.store.accounts import Accounts
from phrasecheck.store.audit import Audit
from phrasecheck.store.calls import Calls
from phrasecheck.store.database import Clock, Database
from phrasecheck.store.desk import Allowances, SavedFilters
from phrasecheck.store.figures import Figures
from phrasecheck.store.lexicons import Lexicons
from phrasecheck.store.listing import Listing
from phrasecheck.store.live import LiveCalls
from phrasecheck.store.moments import Moments
from phrasecheck.store.queue import Queue
from phrasecheck.store.recordings import Recordings
from phrasecheck.store.rescores import Rescores
from phrasecheck.store.results import Results
from phrasecheck.store.retention import Retention
from phrasecheck.store.reviews import Reviews
from phrasecheck.store.sampling import Sampling
from phrasecheck.store.schedules import Schedules
from phrasecheck.store.uploads import Uploads, upload_folder
from phrasecheck.store.webhooks import Webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """All that is kept. Safe to be used by several threads; each process opens its own."""

    database: Database
    recordings: Recordings
    audit: Audit
    accounts: Accounts
    calls: Calls
    results: Results
    reviews: Reviews
    listing: Listing
    live: LiveCalls
    moments: Moments
    schedules: Schedules
    allowances: Allowances
    filters: SavedFilters
    figures: Figures
    lexicons: Lexicons
    rescores: Rescores
    sampling: Sampling
    retention: Retention
    queue: Queue
    uploads: Uploads
    webhooks: Webhooks

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()


def open_store(settings: StoreSettings, clock: Clock | None = None) -> Store:
    """Opens the database, making its tables when it is empty. Raises StoreError when it cannot be reached or its tables are of another version."""
    database = Database(settings.database, clock) if clock else Database(settings.database)
    database.prepare()
    recordings = Recordings(settings.recordings)
    audit = Audit(database)
    calls = Calls(database, audit, recordings, timedelta(seconds=settings.lease_s), settings.max_tries)
    return Store(
        database=database,
        recordings=recordings,
        audit=audit,
        accounts=Accounts(database, audit),
        calls=calls,
        results=Results(database, audit),
        reviews=Reviews(database, audit, timedelta(days=settings.appeal_days)),
        listing=Listing(database),
        live=LiveCalls(database, audit),
        moments=Moments(database),
        schedules=Schedules(database, audit),
        allowances=Allowances(database, audit),
        filters=SavedFilters(database),
        figures=Figures(database),
        lexicons=Lexicons(database, audit),
        rescores=Rescores(database, audit, Listing(database), Results(database, audit)),
        sampling=Sampling(database, audit),
        retention=Retention(database, audit, calls),
        queue=Queue(database),
        uploads=Uploads(database, audit, upload_folder(settings.recordings, settings.parts)),
        webhooks=Webhooks(database, audit),
    )
