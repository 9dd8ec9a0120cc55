"""The CPO's memory: its catalogue as raw JSON text, its registrations, in one SQLite file.

The event loop is the only user, so one connection is enough and no lock is needed.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emsp.sandbox.cpo.protocol import Party

Kind = Literal["location", "tariff"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS thing (
  kind TEXT NOT NULL,        -- location or tariff
  seq INTEGER NOT NULL,      -- order of creation
  id_key TEXT,               -- id in lower case (CiString); dumps may lack one
  updated_us INTEGER,        -- last_updated, microseconds since 1970
  evse_count INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, seq)
);
CREATE INDEX IF NOT EXISTS thing_by_update ON thing (kind, updated_us, seq);
CREATE INDEX IF NOT EXISTS thing_by_id ON thing (kind, id_key);
CREATE TABLE IF NOT EXISTS invitation (
  token_hash TEXT PRIMARY KEY,
  spent INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS registration (
  number INTEGER PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,   -- of the token the other party shows us
  their_token TEXT NOT NULL,         -- kept readable: we have to show it to them
  their_url TEXT NOT NULL,
  roles TEXT NOT NULL,
  endpoints TEXT NOT NULL
);
"""


class DatabaseUnusable(Exception):
    """The SQLite file cannot be opened or written."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One location or tariff to be served: raw JSON beside what is needed to find it."""

    kind: Kind
    id_key: str | None
    updated_us: int | None
    evse_count: int
    body: str


@dataclass(frozen=True, slots=True)
class Registration:
    """A platform that finished the handshake."""

    number: int
    their_token: str
    their_url: str
    roles: str
    endpoints: str

    def first_party(self) -> Party | None:
        """Name the party to address when the request names none: the eMSP role, else the first."""
        roles = json.loads(self.roles)
        chosen = next((role for role in roles if role["role"] == "EMSP"), roles[0])
        return Party(chosen["country_code"], chosen["party_id"])


def hash_token(token: str) -> str:
    """Hash a credentials token for keeping."""
    return hashlib.sha256(token.encode("utf-8")).hexdigest()


def compact(thing: dict[str, Any]) -> str:
    """Write an OCPI object as the JSON text that is kept and served."""
    return json.dumps(thing, ensure_ascii=False, separators=(",", ":"))


class Store:
    """Everything the CPO keeps, over one connection."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            msg = f"the database {path} cannot be used: {error}"
            raise DatabaseUnusable(msg) from error

    def close(self) -> None:
        """Close the connection; WAL is folded back into the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the block as one, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # The catalogue

    def setting(self, name: str) -> str | None:
        """Read a setting, None where it was never written."""
        row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def write_setting(self, name: str, value: str) -> None:
        """Write a setting."""
        self._db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def replace_catalogue(self, things: Iterable[Thing]) -> None:
        """Put these things in the place of all former ones, in this order."""
        self._db.execute("DELETE FROM thing")
        self._db.executemany(
            "INSERT INTO thing VALUES (?, ?, ?, ?, ?, ?)",
            (
                (thing.kind, seq, thing.id_key, thing.updated_us, thing.evse_count, thing.body)
                for seq, thing in enumerate(things)
            ),
        )

    def count(self, kind: Kind, updated: tuple[int | None, int | None] = (None, None)) -> int:
        """Count the things updated in `[from, to)`, in microseconds."""
        where, values = _updated_within(kind, updated)
        row = self._db.execute(f"SELECT count(*) FROM thing WHERE {where}", values)  # noqa: S608
        return int(row.fetchone()[0])

    def page(
        self, kind: Kind, updated: tuple[int | None, int | None], *, offset: int, limit: int
    ) -> list[str]:
        """Give the raw JSON of one page, oldest creation first."""
        where, values = _updated_within(kind, updated)
        # The inner query lives in an index alone, so skipping to a far offset reads no bodies.
        rows = self._db.execute(
            f"SELECT body FROM thing WHERE kind = ? AND seq IN (SELECT seq FROM thing WHERE {where}"  # noqa: S608
            " ORDER BY seq LIMIT ? OFFSET ?) ORDER BY seq",
            (kind, *values, limit, offset),
        )
        return [body for (body,) in rows]

    def body(self, kind: Kind, thing_id: str) -> str | None:
        """Give the raw JSON of one thing by its id, compared without case."""
        row = self._db.execute(
            "SELECT body FROM thing WHERE kind = ? AND id_key = ? ORDER BY seq LIMIT 1",
            (kind, thing_id.lower()),
        ).fetchone()
        return None if row is None else str(row[0])

    def evse_counts(self) -> list[tuple[int, int]]:
        """List (seq, number of EVSEs) of every location."""
        rows = self._db.execute("SELECT seq, evse_count FROM thing WHERE kind = 'location'")
        return [(int(seq), int(count)) for seq, count in rows]

    def location_at(self, seq: int) -> str:
        """Give the raw JSON of the location with this number."""
        row = self._db.execute("SELECT body FROM thing WHERE kind = 'location' AND seq = ?", (seq,))
        return str(row.fetchone()[0])

    def rewrite_location(self, seq: int, *, body: str, updated_us: int) -> None:
        """Replace a location's JSON and the moment of its last update."""
        self._db.execute(
            "UPDATE thing SET body = ?, updated_us = ? WHERE kind = 'location' AND seq = ?",
            (body, updated_us, seq),
        )

    # Registrations

    def invite(self, token_a: str) -> None:
        """Let TOKEN_A begin one handshake; a token spent before stays dead."""
        self._db.execute(
            "INSERT OR IGNORE INTO invitation (token_hash) VALUES (?)", (hash_token(token_a),)
        )

    def is_invited(self, token: str) -> bool:
        """Say whether this is a TOKEN_A that was not used up."""
        row = self._db.execute(
            "SELECT 1 FROM invitation WHERE token_hash = ? AND NOT spent", (hash_token(token),)
        )
        return row.fetchone() is not None

    def is_spent(self, token: str) -> bool:
        """Say whether this TOKEN_A was used up by a handshake."""
        row = self._db.execute(
            "SELECT 1 FROM invitation WHERE token_hash = ? AND spent", (hash_token(token),)
        )
        return row.fetchone() is not None

    def spend_invitation(self, token: str) -> bool:
        """Use TOKEN_A up; False when another handshake was faster."""
        cursor = self._db.execute(
            "UPDATE invitation SET spent = 1 WHERE token_hash = ? AND NOT spent",
            (hash_token(token),),
        )
        return cursor.rowcount == 1

    def registration_of(self, token: str) -> Registration | None:
        """Find who shows this token."""
        row = self._db.execute(
            "SELECT number, their_token, their_url, roles, endpoints FROM registration"
            " WHERE token_hash = ?",
            (hash_token(token),),
        ).fetchone()
        return None if row is None else Registration(*row)

    def registrations(self) -> list[Registration]:
        """List every registered platform."""
        rows = self._db.execute(
            "SELECT number, their_token, their_url, roles, endpoints FROM registration"
            " ORDER BY number"
        )
        return [Registration(*row) for row in rows]

    def add_registration(
        self, *, our_token: str, their_token: str, their_url: str, roles: str, endpoints: str
    ) -> None:
        """Keep a platform that finished its handshake."""
        self._db.execute(
            "INSERT INTO registration (token_hash, their_token, their_url, roles, endpoints)"
            " VALUES (?, ?, ?, ?, ?)",
            (hash_token(our_token), their_token, their_url, roles, endpoints),
        )

    def renew_registration(
        self,
        old_token: str,
        *,
        our_token: str,
        their_token: str,
        their_url: str,
        roles: str,
        endpoints: str,
    ) -> bool:
        """Rotate a registration's tokens; False when the old one died in the meantime."""
        cursor = self._db.execute(
            "UPDATE registration SET token_hash = ?, their_token = ?, their_url = ?, roles = ?,"
            " endpoints = ? WHERE token_hash = ?",
            (
                hash_token(our_token),
                their_token,
                their_url,
                roles,
                endpoints,
                hash_token(old_token),
            ),
        )
        return cursor.rowcount == 1

    def drop_registration(self, number: int) -> None:
        """Forget a platform; its token dies with it."""
        self._db.execute("DELETE FROM registration WHERE number = ?", (number,))


def _updated_within(
    kind: Kind, updated: tuple[int | None, int | None]
) -> tuple[str, tuple[str | int, ...]]:
    """Write the condition; a thing without last_updated is only in unfiltered lists."""
    where, values = "kind = ?", [kind]
    conditions: list[str | int] = list(values)
    for operator, moment in zip((">=", "<"), updated, strict=True):
        if moment is not None:
            where += f" AND updated_us {operator} ?"
            conditions.append(moment)
    return where, tuple(conditions)
