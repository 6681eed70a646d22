"""What outlives a process: calls and their queue, results, hits and their reviews, accounts, the audit trail; SQLite or PostgreSQL.

In: an open Store (store.py). Out: detached rows (tables.py) and the core values. The one decision: the calls table is the queue, so that there
is no second list of work to keep in step with the first.
"""
