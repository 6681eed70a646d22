"""What every route needs, put together once when the application is made.

In: Settings, a Store, the workers. Out: a Desk in app.state.desk, handed to routes as `here: Here`. The one decision: it is frozen; what changes (the
store, the matcher's lease, the counters) changes inside its parts, which are safe for threads.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from phrasecheck.current import CurrentMatcher
from phrasecheck.service.metrics import Metrics
from phrasecheck.settings import Settings
from phrasecheck.store.store import Store

if TYPE_CHECKING:
    from jinja2 import Environment

    from phrasecheck.cluster import Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The parts."""

    settings: Settings
    store: Store
    executor: "Executor | None"  # None: no workers were asked for
    matcher: CurrentMatcher  # for the test bench, explanations and live calls; loaded when first used
    templates: "Environment"
    metrics: Metrics


def desk(connection: HTTPConnection) -> Desk:
    """The application's desk, for requests and WebSockets alike."""
    found: Desk = connection.app.state.desk
    return found


Here = Annotated[Desk, Depends(desk)]
