"""Read dumps of OCPI objects; each object's text is served exactly as it stands in the file."""

import gzip
import hashlib
import json
import lzma
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

from emsp.sandbox.cpo.moments import NotAMoment, epoch_us, parse_moment
from emsp.sandbox.cpo.protocol import Party
from emsp.sandbox.cpo.store import Kind, Thing

_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"


class DumpUnreadable(Exception):
    """A data file cannot be read, is no JSON, or holds something that is neither of ours."""


@dataclass(frozen=True, slots=True)
class Dump:
    """What the files hold, in the files' order."""

    things: list[Thing]
    parties: dict[Party, str]  # who owns the objects, with a name to show


def fingerprint(paths: Sequence[Path]) -> str:
    """Hash the files' contents, so that a restart knows it has them already.

    Raises: DumpUnreadable.
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(_read(path)).digest())
    return digest.hexdigest()


def read_dumps(paths: Sequence[Path]) -> Dump:
    """Read the files; locations and tariffs are told apart by their fields.

    Raises: DumpUnreadable.
    """
    things: list[Thing] = []
    names: dict[tuple[str, str], Counter[str]] = {}
    for path in paths:
        for number, (found, text) in enumerate(_objects(path), start=1):
            things.append(_thing(found, text, where=f"{path}, object {number}"))
            owner = _owner(found)
            if owner:
                names.setdefault(owner, Counter()).update(_operator_name(found))
    parties = {
        Party(*owner): (seen.most_common(1)[0][0] if seen else "-".join(owner))
        for owner, seen in names.items()
    }
    return Dump(things, parties)


def make_thing(kind: Kind, found: dict[str, Any], text: str) -> Thing:
    """Pair an object's raw JSON with what is needed to find it."""
    return Thing(
        kind=kind,
        id_key=str(found["id"]).lower() if found.get("id") is not None else None,
        updated_us=_updated_us(found.get("last_updated")),
        evse_count=len(found.get("evses") or ()) if kind == "location" else 0,
        body=text,
    )


def _thing(found: Any, text: str, *, where: str) -> Thing:
    if isinstance(found, dict):
        if "elements" in found:
            return make_thing("tariff", found, text)
        if "evses" in found or "coordinates" in found:
            return make_thing("location", found, text)
    msg = f"{where}: neither a location (evses, coordinates) nor a tariff (elements)"
    raise DumpUnreadable(msg)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"the data file {path} cannot be read: {error.strerror}"
        raise DumpUnreadable(msg) from error


def _text(path: Path) -> str:
    raw = _read(path)
    try:
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
        elif path.suffix == ".xz":
            raw = lzma.decompress(raw)
        return raw.decode("utf-8-sig")
    except (OSError, EOFError, lzma.LZMAError, zlib.error, UnicodeDecodeError) as error:
        msg = f"the data file {path} is damaged or not what its name says: {error}"
        raise DumpUnreadable(msg) from error


def _objects(path: Path) -> Iterator[tuple[Any, str]]:
    """Give each object parsed, and the very text it was parsed from."""
    text = _text(path)
    try:
        start = _skip(text, 0)
        if text[start : start + 1] == "{":
            start = _find_data(text, start)
        if text[start : start + 1] != "[":
            msg = f"the data file {path} holds no list of OCPI objects"
            raise DumpUnreadable(msg)
        yield from _list_items(text, start)
    except (json.JSONDecodeError, RecursionError) as error:
        msg = f"the data file {path} is no valid JSON: {error}"
        raise DumpUnreadable(msg) from error


def _list_items(text: str, start: int) -> Iterator[tuple[Any, str]]:
    at = _skip(text, start + 1)
    if text[at : at + 1] == "]":
        return
    while True:
        found, end = _DECODER.raw_decode(text, at)
        yield found, text[at:end]
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return
        at = _expect(text, at, ",")


def _find_data(text: str, start: int) -> int:
    """Find where the envelope's `data` begins."""
    at = _skip(text, start + 1)
    while text[at : at + 1] == '"':
        key, at = scanstring(text, at + 1, True)
        at = _expect(text, at, ":")
        if key == "data":
            return at
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at : at + 1] == "}":
            break
        at = _expect(text, at, ",")
    raise json.JSONDecodeError("an object without a list called data", text, start)


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _BLANK:
        at += 1
    return at


def _expect(text: str, at: int, sign: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != sign:
        msg = f"Expecting {sign!r}"
        raise json.JSONDecodeError(msg, text, at)
    return _skip(text, at + 1)


def _updated_us(last_updated: Any) -> int | None:
    try:
        return epoch_us(parse_moment(last_updated)) if isinstance(last_updated, str) else None
    except NotAMoment:
        return None


def _owner(found: dict[str, Any]) -> tuple[str, str] | None:
    """Say who owns the object, None where the dump does not tell in OCPI's widths."""
    country_code, party_id = found.get("country_code"), found.get("party_id")
    if not isinstance(country_code, str) or not isinstance(party_id, str):
        return None
    if len(country_code) != 2 or not 1 <= len(party_id) <= 3:
        return None
    return country_code, party_id


def _operator_name(found: dict[str, Any]) -> list[str]:
    operator = found.get("operator")
    name = operator.get("name") if isinstance(operator, dict) else None
    return [name[:100]] if isinstance(name, str) and name else []
