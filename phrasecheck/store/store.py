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
from phrasecheck.store.listing import Listing
from phrasecheck.store.recordings import Recordings
from phrasecheck.store.results import Results
from phrasecheck.store.reviews import Reviews


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
    allowances: Allowances
    filters: SavedFilters

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()


def open_store(settings: StoreSettings, clock: Clock | None = None) -> Store:
    """Opens the database, making its tables when it is empty. Raises StoreError when it cannot be reached or its tables are of another version."""
    database = Database(settings.database, clock) if clock else Database(settings.database)
    database.prepare()
    recordings = Recordings(settings.recordings)
    audit = Audit(database)
    return Store(
        database=database,
        recordings=recordings,
        audit=audit,
        accounts=Accounts(database, audit),
        calls=Calls(database, audit, recordings, timedelta(seconds=settings.lease_s), settings.max_tries),
        results=Results(database, audit),
        reviews=Reviews(database, audit, timedelta(days=settings.appeal_days)),
        listing=Listing(database),
        allowances=Allowances(database, audit),
        filters=SavedFilters(database),
    )
