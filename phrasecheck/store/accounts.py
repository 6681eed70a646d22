"""Who may sign in, and the secrets that were handed out.

In: names, passwords, tokens. Out: accounts. The one decision: there is one table of secrets (sessions, API tokens, invitations), and of each only the
SHA-256: they are random, so a fast hash will do; passwords are not, so theirs is argon2.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from phrasecheck.errors import InputError, NotFoundError, RefusedError
from phrasecheck.store.audit import SYSTEM, Audit
from phrasecheck.store.database import Database
from phrasecheck.store.states import Permission
from phrasecheck.store.tables import TokenKind, TokenRow, UserRow

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MAX_FAILURES = 5  # wrong passwords in a row
LOCKED = timedelta(minutes=15)  # OWASP's authentication cheat sheet: lock for a while, not for ever
SHORTEST = 10  # characters of a password
INVITED = timedelta(days=7)


def password_hasher() -> "PasswordHasher":
    """argon2id with the library's parameters (RFC 9106, low memory)."""
    from argon2 import PasswordHasher

    return PasswordHasher()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """An account to be made. `agent` is the staff number by which calls name the person."""

    name: str
    permission: Permission
    team: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Accounts:
    """Users and tokens."""

    database: Database
    audit: Audit
    hasher: "PasswordHasher" = field(default_factory=password_hasher)

    def first_link(self) -> str | None:
        """The secret of the link that makes the first administrator; None when there is an account already. Asking again ends the link before."""
        with self.database.write() as session:
            if session.scalar(select(func.count(UserRow.id))):
                return None
            self._end(session, TokenRow.kind == TokenKind.INVITATION)
            return self._issue(session, TokenKind.INVITATION, None, INVITED)

    def make_first(self, link: str, name: str, password: str) -> UserRow:
        """The first administrator, by the link of `first_link`. Raises RefusedError when that was used, InputError for a weak password."""
        with self.database.write() as session:
            self.database.alone(session, "first administrator")
            token = self._use(session, link, TokenKind.INVITATION)
            if token.user_id is not None or session.scalar(select(func.count(UserRow.id))):
                raise RefusedError("已经有管理员了：请让管理员为您开户")
            user = self._add(session, NewUser(name=name, permission=Permission.ADMIN), self._hashed(password))
            token.user_id = user.id
            self.audit.add(session, SYSTEM, "user.create", f"user:{user.id}", permission=Permission.ADMIN)
            return user

    def invite(self, new: NewUser, actor: str) -> tuple[UserRow, str]:
        """An account without a password, and the secret of the one-time link that sets it. Raises InputError when the name is taken."""
        try:
            with self.database.write() as session:
                user = self._add(session, new, None)
                link = self._issue(session, TokenKind.INVITATION, user.id, INVITED)
                self.audit.add(session, actor, "user.create", f"user:{user.id}", permission=new.permission)
        except IntegrityError as error:
            raise InputError(f"用户名「{new.name}」已经有人用了，请换一个") from error
        return user, link

    def reinvite(self, user_id: int, actor: str) -> str:
        """A new one-time link, for a password that was forgotten; ends everything handed out to the account before."""
        with self.database.write() as session:
            user = _existing(session, user_id)
            self._end(session, TokenRow.user_id == user.id)
            self.audit.add(session, actor, "user.reinvite", f"user:{user.id}")
            return self._issue(session, TokenKind.INVITATION, user.id, INVITED)

    def accept(self, link: str, password: str) -> UserRow:
        """Take up an invitation: the password is set, the link used up. Raises RefusedError, InputError."""
        with self.database.write() as session:
            token = self._use(session, link, TokenKind.INVITATION)
            if token.user_id is None:
                raise RefusedError("这是创建首位管理员的链接：请从首次启动的页面进入")
            user = _existing(session, token.user_id)
            user.password, user.failures, user.locked_until = self._hashed(password), 0, None
            self.audit.add(session, user.name, "user.password", f"user:{user.id}")
            return user

    def sign_in(self, name: str, password: str) -> UserRow | None:
        """The account, or None when name and password do not belong together. Raises RefusedError while it is locked."""
        with self.database.read() as session:
            user = session.scalar(select(UserRow).where(UserRow.name == name, UserRow.closed_at.is_(None)))
        if user is None:
            self._verified(_decoy(), password)  # an unknown name takes as long as a wrong password
            return None
        if user.locked_until is not None and user.locked_until > self.database.now():
            raise RefusedError(f"密码连续错了 {MAX_FAILURES} 次，账号已锁定：请 {LOCKED.seconds // 60} 分钟后再试，或请管理员重发链接")
        known = self._verified(user.password or _decoy(), password)  # slow on purpose, so not while writing
        with self.database.write() as session:
            return self._counted(session, user.id, known)

    def _verified(self, hashed: str, password: str) -> bool:
        from argon2.exceptions import VerifyMismatchError

        try:
            return self.hasher.verify(hashed, password)
        except VerifyMismatchError:
            return False

    def _counted(self, session: Session, user_id: int, known: bool) -> UserRow | None:
        user = session.get_one(UserRow, user_id, with_for_update=True)
        user.failures = 0 if known else user.failures + 1
        if user.failures >= MAX_FAILURES:
            user.failures, user.locked_until = 0, self.database.now() + LOCKED
            self.audit.add(session, SYSTEM, "user.lock", f"user:{user.id}")
        return user if known else None

    def issue(self, kind: TokenKind, user_id: int, lasts: timedelta, name: str = "", scopes: Iterable[str] = ()) -> str:
        """A session's or API client's secret. It can be read here and never again."""
        with self.database.write() as session:
            return self._issue(session, kind, user_id, lasts, name, scopes)

    def whose(self, secret: str, kind: TokenKind) -> tuple[UserRow, TokenRow] | None:
        """The open account that a valid secret of this kind was handed out to."""
        query = (
            select(UserRow, TokenRow)
            .join(TokenRow, TokenRow.user_id == UserRow.id)
            .where(TokenRow.digest == _digest(secret), TokenRow.kind == kind, UserRow.closed_at.is_(None), self._valid())
        )
        with self.database.read() as session:
            found = session.execute(query).one_or_none()
            return None if found is None else (found[0], found[1])

    def revoke(self, secret: str) -> None:
        """The secret is good for nothing from now on."""
        with self.database.write() as session:
            self._end(session, TokenRow.digest == _digest(secret))

    def tokens(self, user_id: int | None = None) -> list[tuple[TokenRow, UserRow]]:
        """API tokens that are good for something, with their owners; of one account or of all, the latest first."""
        query = select(TokenRow, UserRow).join(UserRow, TokenRow.user_id == UserRow.id).where(TokenRow.kind == TokenKind.API, self._valid())
        if user_id is not None:
            query = query.where(TokenRow.user_id == user_id)
        with self.database.read() as session:
            return [(token, user) for token, user in session.execute(query.order_by(TokenRow.id.desc()))]

    def issue_api(self, user_id: int, lasts: timedelta, name: str, scopes: Iterable[str]) -> str:
        """A secret for a program that acts for this account within `scopes`. It can be read here and never again. Raises InputError."""
        wanted = sorted(set(scopes))
        if not name.strip() or not wanted:
            raise InputError("接口令牌应有名称和至少一项范围，收到的不全：请填写用途，并勾选范围")
        with self.database.write() as session:
            user = _existing(session, user_id)
            secret = self._issue(session, TokenKind.API, user_id, lasts, name.strip()[:100], wanted)
            self.audit.add(session, user.name, "token.issue", f"user:{user_id}", name=name.strip()[:100], scopes=wanted)
            return secret

    def end_token(self, token_id: int, actor: str, owner: int | None = None) -> None:
        """The API token is good for nothing from now on; with `owner` only if it is that account's. Raises NotFoundError."""
        with self.database.write() as session:
            token = session.get(TokenRow, token_id)
            if token is None or token.kind is not TokenKind.API or (owner is not None and token.user_id != owner):
                raise NotFoundError(f"没有接口令牌 {token_id}：请在列表里核对")
            self._end(session, TokenRow.id == token_id)
            self.audit.add(session, actor, "token.revoke", f"user:{token.user_id}", name=token.name)

    def user(self, user_id: int) -> UserRow:
        """One account, closed or not. Raises NotFoundError."""
        with self.database.read() as session:
            user = session.get(UserRow, user_id)
        if user is None:
            raise NotFoundError(f"没有账号 {user_id}：请在账号列表里核对")
        return user

    def close(self, user_id: int, actor: str) -> None:
        """The account is closed with all that was handed out to it; what its owner did stays."""
        with self.database.write() as session:
            user = _existing(session, user_id)
            self._not_last(session, user)
            user.closed_at = user.closed_at or self.database.now()
            self._end(session, TokenRow.user_id == user_id)
            self.audit.add(session, actor, "user.close", f"user:{user_id}")

    def change(self, user_id: int, actor: str, *, permission: Permission, team: str | None, agent: str | None) -> UserRow:
        """What the account may do, and where it belongs."""
        with self.database.write() as session:
            user = _existing(session, user_id)
            if permission is not Permission.ADMIN:
                self._not_last(session, user)
            user.permission, user.team, user.agent = permission, team, agent
            self.audit.add(session, actor, "user.change", f"user:{user_id}", permission=permission, team=team, agent=agent)
            return user

    def _not_last(self, session: Session, user: UserRow) -> None:
        """Somebody has to be able to open accounts. Raises RefusedError."""
        self.database.alone(session, "administrators")
        others = select(func.count(UserRow.id)).where(
            UserRow.permission == Permission.ADMIN, UserRow.closed_at.is_(None), UserRow.id != user.id, UserRow.password.is_not(None)
        )
        if user.permission is Permission.ADMIN and not session.scalar(others):
            raise RefusedError("应至少留一位能登录的系统管理员：请先让另一位管理员开户并设好密码")

    def users(self) -> list[UserRow]:
        """All accounts by name, closed ones too."""
        with self.database.read() as session:
            return list(session.scalars(select(UserRow).order_by(UserRow.name)))

    def names(self) -> dict[int, str]:
        """The names of all accounts, closed ones too."""
        with self.database.read() as session:
            return {row[0]: row[1] for row in session.execute(select(UserRow.id, UserRow.name))}

    def teams(self) -> list[str]:
        """The teams that accounts belong to."""
        query = select(UserRow.team).where(UserRow.team.is_not(None)).distinct().order_by(UserRow.team)
        with self.database.read() as session:
            return [team for team in session.scalars(query) if team is not None]

    def _hashed(self, password: str) -> str:
        if len(password) < SHORTEST:
            raise InputError(f"密码至少应有 {SHORTEST} 个字符，收到 {len(password)} 个：请换一个长些的")
        return self.hasher.hash(password)

    def _add(self, session: Session, new: NewUser, password: str | None) -> UserRow:
        if not new.name.strip():
            raise InputError("用户名不能为空")
        user = UserRow(
            name=new.name.strip(),
            permission=new.permission,
            team=new.team,
            agent=new.agent,
            password=password,
            created_at=self.database.now(),
        )
        session.add(user)
        session.flush()
        return user

    def _issue(
        self, session: Session, kind: TokenKind, user_id: int | None, lasts: timedelta, name: str = "", scopes: Iterable[str] = ()
    ) -> str:
        secret, now = secrets.token_urlsafe(32), self.database.now()
        row = TokenRow(digest=_digest(secret), kind=kind, user_id=user_id, name=name, scopes=" ".join(scopes))
        row.created_at, row.expires_at = now, now + lasts
        session.add(row)
        return secret

    def _use(self, session: Session, secret: str, kind: TokenKind) -> TokenRow:
        """Ends a valid token and hands it out; the row is locked, so of two at once one is refused."""
        query = select(TokenRow).where(TokenRow.digest == _digest(secret), TokenRow.kind == kind, self._valid()).with_for_update()
        token = session.scalar(query)
        if token is None:
            raise RefusedError("链接无效、已用过或已过期：请让管理员重发一个")
        token.ended_at = self.database.now()
        return token

    def _end(self, session: Session, which: ColumnElement[bool]) -> None:
        for token in session.scalars(select(TokenRow).where(which, TokenRow.ended_at.is_(None))):
            token.ended_at = self.database.now()

    def _valid(self) -> ColumnElement[bool]:
        return TokenRow.ended_at.is_(None) & (TokenRow.expires_at > self.database.now())


def _existing(session: Session, user_id: int) -> UserRow:
    user = session.get(UserRow, user_id)
    if user is None or user.closed_at is not None:
        raise NotFoundError(f"没有账号 {user_id}，或它已停用：请在账号列表里核对")
    return user


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


@cache
def _decoy() -> str:
    """A hash that no password has."""
    return password_hasher().hash(secrets.token_hex(32))
