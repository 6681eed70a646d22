"""Alerts on their way out: chosen by the rules, kept in the store, sent until they arrive or are given up.

In: events as the board puts them up. Out: messages. The one decision: an early alert is told when its turn has borne it out (unless a target
wants it at once), because a message in a group chat cannot be taken back.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event, Thread
from typing import Any

from phrasecheck.alerts import AlertSendError, Outgoing, Target, due, outgoing, send, wanted
from phrasecheck.store.live import LiveCalls, Told

IDLE_S = 1.0
log = logging.getLogger(__name__)


class Sender:
    """One for each process that takes calls."""

    def __init__(
        self, live: LiveCalls, targets: Sequence[Target], now: Callable[[], datetime], post: Callable[[Outgoing], None] = send
    ) -> None:
        self._live = live
        self._targets = {target.name: target for target in targets}
        self._now = now
        self._post = post
        self._early: dict[tuple[str, int], dict[str, Any]] = {}
        self._wake = Event()
        self._stopping = False
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to send; does nothing without rules."""
        if self._targets:
            self._thread = Thread(target=self._run, name="live-sender", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """What was not sent stays in the store for the next start."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(15)

    def take(self, told: Sequence[Told]) -> None:
        """Events that were put up."""
        if not self._targets:
            return
        for each in told:
            body = each.body
            if body["type"] == "alert":
                about = {**body, "agent": each.agent, "team": each.team}
                self._tell(about, early=body["partial"])
                if body["partial"]:
                    self._early[each.call, body["seq"]] = about
            elif body["type"] == "utterance":
                for seq in body["alerts"]:
                    if (each.call, seq) in self._early:
                        self._tell(self._early.pop((each.call, seq)), early=False)
            elif body["type"] == "retracted":
                self._early.pop((each.call, body["alert"]), None)
            elif body["type"] == "ended":
                self._early = {key: about for key, about in self._early.items() if key[0] != each.call}

    def _tell(self, about: dict[str, Any], *, early: bool) -> None:
        role = self._live.get(about["call"]).role
        for target in wanted(list(self._targets.values()), about, role, about["team"]):
            if target.early or not early:
                self._live.queue(target.name, about["call"], about["phrase"], about, due(target, self._now()))
        self._wake.set()

    def step(self) -> int:
        """Send what is due; how many that was."""
        messages = self._live.due()
        for message in messages:
            target = self._targets.get(message.target)
            try:
                if target is None:
                    raise AlertSendError(f"规则里已没有「{message.target}」", final=True)
                self._post(outgoing(target, message.body, message.id, self._now()))
                self._live.sent(message.id)
            except AlertSendError as error:
                state = self._live.failed(message.id, str(error), final=error.final)
                log.warning("alert %d to %s: %s (%s)", message.id, message.target, error, state)
        return len(messages)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self.step()
            except Exception:
                log.exception("alerts could not be sent; they wait in the store")
            self._wake.wait(IDLE_S)
            self._wake.clear()
