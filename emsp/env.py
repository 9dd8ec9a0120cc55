"""Typed readers of environment variables. A wrong value stops the start with a sentence.

An empty value counts as none: the lines that .env.example leaves open stand for the defaults.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

# Where relative paths begin, from wherever a command is called.
ROOT = Path(__file__).resolve().parent.parent


class SettingInvalid(Exception):
    """An environment variable is missing or cannot be read."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}. See .env.example.")


def load_env_file(path: Path) -> None:
    """Read ``NAME=value`` lines into the environment; what is already set wins."""
    if not path.is_file():
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingInvalid(str(path), f"cannot be read ({error})") from error
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingInvalid(str(path), f"line {number} is not of the form NAME=value")
        os.environ.setdefault(name.strip(), _unquote(value.strip()))


def _unquote(value: str) -> str:
    """Take off one pair of quotes around a value.

    >>> _unquote('"Bright Power"'), _unquote("it's"), _unquote('"')
    ('Bright Power', "it's", '"')
    """
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def read_str(name: str, default: str | None = None) -> str:
    value = os.environ.get(name) or default
    if value is None:
        raise SettingInvalid(name, "is not set")
    return value


def read_bool(name: str, *, default: bool) -> bool:
    value = os.environ.get(name)
    if value is None or not value.strip():
        return default
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if value.strip().lower() not in known:
        raise SettingInvalid(name, f"is {value!r}; use 1 or 0")
    return known[value.strip().lower()]


def read_int(name: str, default: int, *, minimum: int, maximum: int) -> int:
    value = os.environ.get(name)
    if value is None or not value.strip():
        return default
    try:
        number = int(value)
    except ValueError:
        raise SettingInvalid(name, f"is {value!r}; a whole number is needed") from None
    if not minimum <= number <= maximum:
        raise SettingInvalid(name, f"is {number}; it must lie in {minimum} to {maximum}")
    return number


def read_list(name: str, default: list[str]) -> list[str]:
    value = os.environ.get(name)
    if not value:
        return default
    return [part.strip() for part in value.split(",") if part.strip()]


def read_path(name: str, default: Path) -> Path:
    value = os.environ.get(name)
    return (ROOT / Path(value).expanduser()).resolve() if value else default


def read_database(name: str, default: str) -> dict[str, object]:
    """Turn an address into a setting.

    ``sqlite:///relative/path``, ``sqlite:////absolute/path``, ``sqlite:///:memory:`` or
    ``postgresql://user:password@host:port/name``, each part percent-encoded.
    """
    address = read_str(name, default)
    if address == "sqlite:///:memory:":
        return {"ENGINE": "emsp.kernel.sqlite", "NAME": ":memory:"}
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        raise SettingInvalid(name, "is not an address, or its port is no number") from None
    if url.scheme == "sqlite":
        path = unquote(url.path.removeprefix("/"))
        if url.netloc or not path:
            raise SettingInvalid(name, "must name a file, as in sqlite:///var/db.sqlite3")
        return {"ENGINE": "emsp.kernel.sqlite", "NAME": str(ROOT / path)}
    if url.scheme in {"postgresql", "postgres"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path.lstrip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname or "",
            "PORT": str(port or ""),
            "OPTIONS": dict(parse_qsl(url.query)),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    raise SettingInvalid(name, "must begin with sqlite:/// or postgresql://")


def read_colour(name: str, default: str) -> str:
    """Read a colour as ``#rrggbb``."""
    value = read_str(name, default).strip()
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise SettingInvalid(name, f"is {value!r}; a colour like #c8f031 is needed")
    return value.lower()
