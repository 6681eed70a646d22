"""Addresses that are told when a call ends, and the messages to them.

In: the end of a call. Out: messages that are due. The one decision: a message is written in the transaction that ends its call (`announce` is called
there), so that neither can be without the other; sending, repeating and giving up come afterwards and change nothing of the call.
"""

import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from phrasecheck.errors import NotFoundError
from phrasecheck.store.audit import Audit
from phrasecheck.store.database import Database
from phrasecheck.store.states import CallState
from phrasecheck.store.tables import CallRow, MessageState, UserRow, WebhookMessageRow, WebhookRow

BACKOFF = (10, 60, 300, 1800, 7200, 21_600, 43_200)  # seconds before the second, third ... attempt; a day in all, then the message is dead
KEPT = timedelta(days=30)  # messages that arrived


def announce(session: Session, call: CallRow, now: datetime) -> None:
    """A message to every address that this call is DONE or FAILED, in the transaction that makes it so."""
    result = f"/api/v1/calls/{call.id}/result" if call.state is CallState.DONE else None
    data = {"id": call.id, "state": call.state.value, "source": call.source, "reason": call.reason, "result": result}
    body = {"type": f"call.{call.state.value}", "timestamp": now.isoformat(), "data": data}
    for webhook_id in session.scalars(select(WebhookRow.id).where(WebhookRow.ended_at.is_(None))):
        session.add(
            WebhookMessageRow(webhook_id=webhook_id, call_id=call.id, body=body, state=MessageState.WAITING, due_at=now, made_at=now)
        )


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return WebhookMessageRow.state == MessageState.WAITING, WebhookMessageRow.due_at <= now


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The addresses and the outbox."""

    database: Database
    audit: Audit

    def add(self, url: str, author: UserRow, secret: str | None = None) -> WebhookRow:
        """From now on; without a secret one is made (whsec_ and base64, as the Standard Webhooks have it)."""
        made = secret or f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
        row = WebhookRow(url=url, secret=made, author_id=author.id, created_at=self.database.now())
        with self.database.write() as session:
            session.add(row)
            session.flush()
            self.audit.add(session, author.name, "webhook.add", f"webhook:{row.id}", url=url)
        return row

    def end(self, webhook_id: int, actor: str) -> None:
        """No more messages; those on their way are given up. Raises NotFoundError."""
        with self.database.write() as session:
            row = session.get(WebhookRow, webhook_id, with_for_update=True)
            if row is None or row.ended_at is not None:
                raise NotFoundError(f"没有回调 {webhook_id}，或它已停用：请刷新后再看")
            row.ended_at = self.database.now()
            self.audit.add(session, actor, "webhook.end", f"webhook:{webhook_id}", url=row.url)

    def active(self) -> list[WebhookRow]:
        """Those in use."""
        with self.database.read() as session:
            return list(session.scalars(select(WebhookRow).where(WebhookRow.ended_at.is_(None)).order_by(WebhookRow.id)))

    # --- the outbox ------------------------------------------------------------------------------------------------------------

    def any_due(self) -> bool:
        """Whether `due` would find anything; asks without waiting for whoever writes."""
        with self.database.read() as session:
            return session.scalar(select(WebhookMessageRow.id).where(*_due(self.database.now())).limit(1)) is not None

    def due(self, limit: int = 20) -> list[tuple[WebhookMessageRow, WebhookRow]]:
        """Messages whose time has come; the next attempt is put off at once, so that no two senders have the same, and one that dies loses none."""
        now = self.database.now()
        query = (
            select(WebhookMessageRow, WebhookRow)
            .join(WebhookRow)
            .where(*_due(now))
            .order_by(WebhookMessageRow.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=WebhookMessageRow)
        )
        with self.database.write() as session:
            found = [(message, webhook) for message, webhook in session.execute(query)]
            for message, _ in found:
                message.tries += 1
                message.due_at = now + timedelta(seconds=BACKOFF[min(message.tries, len(BACKOFF)) - 1])
        return found

    def sent(self, message_id: int) -> None:
        """It arrived."""
        self._set(message_id, MessageState.SENT, None)

    def failed(self, message_id: int, error: str, *, final: bool = False) -> MessageState:
        """It did not; after the last attempt, or when no other will do better, it is dead."""
        with self.database.read() as session:
            tries = session.get_one(WebhookMessageRow, message_id).tries
        state = MessageState.DEAD if final or tries > len(BACKOFF) else MessageState.WAITING
        self._set(message_id, state, error[:500])
        return state

    def again(self, message_id: int, actor: str) -> None:
        """Send a dead message once more. Raises NotFoundError."""
        with self.database.write() as session:
            row = session.get(WebhookMessageRow, message_id, with_for_update=True)
            if row is None or row.state is not MessageState.DEAD:
                raise NotFoundError(f"没有可重发的消息 {message_id}：请刷新后再看")
            row.state, row.tries, row.due_at = MessageState.WAITING, 0, self.database.now()
            self.audit.add(session, actor, "webhook.again", f"webhook:{row.webhook_id}", message=message_id)

    def messages(self, state: MessageState, limit: int = 100) -> list[tuple[WebhookMessageRow, WebhookRow]]:
        """Messages in this state, the latest first."""
        query = select(WebhookMessageRow, WebhookRow).join(WebhookRow).where(WebhookMessageRow.state == state)
        with self.database.read() as session:
            return [(message, webhook) for message, webhook in session.execute(query.order_by(WebhookMessageRow.id.desc()).limit(limit))]

    def sweep(self) -> None:
        """Forget what arrived long ago."""
        old = WebhookMessageRow.made_at < self.database.now() - KEPT
        with self.database.write() as session:
            session.execute(delete(WebhookMessageRow).where(WebhookMessageRow.state == MessageState.SENT, old))

    def _set(self, message_id: int, state: MessageState, error: str | None) -> None:
        with self.database.write() as session:
            row = session.get(WebhookMessageRow, message_id)
            if row is not None:
                row.state, row.error = state, error
