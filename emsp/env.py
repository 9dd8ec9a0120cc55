"""Typed readers of environment variables. A wrong value stops the start with a sentence."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


class SettingInvalid(Exception):
    """An environment variable is missing or cannot be read."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}. See .env.example.")


def load_env_file(path: Path) -> None:
    """Read ``NAME=value`` lines into the environment; what is already set wins."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingInvalid(str(path), f"line {number} is not of the form NAME=value")
        os.environ.setdefault(name.strip(), value.strip())


def read_str(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
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
    if value is None:
        return default
    return [part.strip() for part in value.split(",") if part.strip()]


def read_path(name: str, default: Path) -> Path:
    value = os.environ.get(name)
    return Path(value).expanduser().resolve() if value else default


def read_database(name: str, default: str) -> dict[str, object]:
    """Turn ``sqlite:///path`` or ``postgresql://user:password@host:port/name`` into a setting."""
    url = urlsplit(read_str(name, default))
    if url.geturl() == "sqlite:///:memory:":
        return {"ENGINE": "emsp.kernel.sqlite", "NAME": ":memory:"}
    if url.scheme == "sqlite":
        return {"ENGINE": "emsp.kernel.sqlite", "NAME": unquote(url.path)}
    if url.scheme in {"postgresql", "postgres"}:
        try:
            port = url.port
        except ValueError:
            raise SettingInvalid(name, "has a port that is no number") from None
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
