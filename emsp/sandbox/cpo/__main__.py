"""The command line: `python -m emsp.sandbox.cpo --port 8901 --database var/sandbox/cpo.sqlite3`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from emsp.sandbox.cpo.app import VERSIONS_PATH, Doors, make_app
from emsp.sandbox.cpo.catalogue import CatalogueWish, prepare_catalogue, served_roles
from emsp.sandbox.cpo.dump import DumpUnreadable
from emsp.sandbox.cpo.places import SitesUnreadable
from emsp.sandbox.cpo.protocol import Party, Refused
from emsp.sandbox.cpo.registration import Ourselves, is_token, write_token_file
from emsp.sandbox.cpo.serving import AddressUnusable, check_address, serve
from emsp.sandbox.cpo.statuses import StatusLife
from emsp.sandbox.cpo.store import DatabaseUnusable, Store

MISUSE = 2


class BadArguments(Exception):
    """The arguments do not go together."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the CPO until SIGTERM or SIGINT; give the exit code."""
    options = _parser().parse_args(argv)
    try:
        _check(options)
        check_address(options.host, options.port)
        store = Store(options.database)
    except (BadArguments, AddressUnusable, DatabaseUnusable) as error:
        return _complain(error)
    try:
        return _run(options, store)
    except (BadArguments, DumpUnreadable, SitesUnreadable, AddressUnusable, Refused) as error:
        return _complain(error)
    finally:
        store.close()


def _run(options: argparse.Namespace, store: Store) -> int:
    wish = CatalogueWish(
        data=tuple(options.data),
        sites=options.sites,
        stations=options.stations,
        seed=options.seed,
        party=Party(options.country_code, options.party_id),
        name=options.name,
    )
    for note in prepare_catalogue(store, wish, datetime.now(UTC)):
        _say(f"sandbox CPO: {note}")
    public_url = (options.public_url or f"http://{options.host}:{options.port}").rstrip("/")
    ourselves = Ourselves(
        versions_url=public_url + VERSIONS_PATH,
        roles=served_roles(store, wish),
        token_file=_invite(options, store),
    )
    doors = Doors(store, ourselves, public_url, page_limit=options.page_limit)
    life = None
    if options.status_interval and not options.data:
        life = StatusLife(store, interval_s=options.status_interval, share=options.status_share)

    async def when_ready() -> None:
        if options.register_at:
            await _introduce(options, store, ourselves)
        _say(_ready_line(store, ourselves))

    asyncio.run(
        serve(
            make_app(doors),
            host=options.host,
            port=options.port,
            life=life,
            when_ready=when_ready,
        )
    )
    return 0


async def _introduce(options: argparse.Namespace, store: Store, ourselves: Ourselves) -> None:
    # Imported late: see registration.fetch_endpoints.
    from emsp.sandbox.cpo.introduction import introduce

    if await introduce(
        store, ourselves, versions_url=options.register_at, token_a=options.register_token
    ):
        _say(f"sandbox CPO: registered at {options.register_at}")


def _ready_line(store: Store, ourselves: Ourselves) -> str:
    party = next(iter(ourselves.roles))
    return (
        f"sandbox CPO ready: {ourselves.versions_url}"
        f" party={party.country_code}*{party.party_id}"
        f" locations={store.count('location')} tariffs={store.count('tariff')}"
        f" registered={len(store.registrations())}"
        f" token={ourselves.token_file or 'as given'}"
    )


def _invite(options: argparse.Namespace, store: Store) -> Path | None:
    """Open the door for TOKEN_A; without one on the command line it lives in a file."""
    if options.token_a:
        store.invite(options.token_a)
        return None
    path: Path = options.token_file or options.database.with_suffix(".token-a")
    try:
        token = path.read_text("utf-8").strip() if path.exists() else write_token_file(path)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"the token file {path} cannot be used: {error}"
        raise BadArguments(msg) from error
    if not is_token(token):
        msg = f"the token file {path} does not hold 1 to 64 printable characters without blanks"
        raise BadArguments(msg)
    store.invite(token)
    return path


def _check(options: argparse.Namespace) -> None:
    if options.data and options.sites:
        raise BadArguments("--data serves a dump as it is: it does not go with --sites")
    if options.token_a and not is_token(options.token_a):
        raise BadArguments("--token-a: 1 to 64 printable ASCII characters without blanks")
    if len(options.country_code) != 2 or not options.country_code.isalpha():
        raise BadArguments("--country-code: two letters, like NL")
    if not 1 <= len(options.party_id) <= 3 or not options.party_id.isalnum():
        raise BadArguments("--party-id: up to three letters or digits, like SBX")
    if not 1 <= len(options.name) <= 100:
        raise BadArguments("--name: 1 to 100 characters")
    if bool(options.register_at) != bool(options.register_token):
        raise BadArguments("--register-at and --register-token go together")
    if options.public_url and not options.public_url.startswith(("http://", "https://")):
        raise BadArguments("--public-url: an address that begins with http:// or https://")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emsp.sandbox.cpo",
        description="A charge point operator speaking OCPI 2.2.1, for demo and tests.",
    )
    add = parser.add_argument
    add("--port", type=_whole(1, 65535), required=True)
    add("--host", default="127.0.0.1")
    add("--database", type=Path, required=True, help="its own SQLite file, made where missing")
    add("--public-url", help="how the eMSP reaches us, when not by host and port")
    add("--data", type=Path, nargs="+", default=[], help="OCPI dumps: .json, .json.gz, .json.xz")
    add("--sites", type=Path, help="CSV lon,lat,country,kind,name of places along motorways")
    add("--stations", type=_whole(1, 100_000), default=3000, help="how many to generate")
    add("--seed", type=_whole(0, 2**31), default=1)
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token-a", help="the token that begins the handshake")
    token.add_argument("--token-file", type=Path, help="a file with it, made where missing")
    add("--register-at", help="an eMSP's versions address, to register there as the first act")
    add("--register-token", help="the TOKEN_A that eMSP handed out")
    add("--country-code", default="NL", type=str.upper)
    add("--party-id", default="SBX", type=str.upper)
    add("--name", default="Voltway Demo Grid")
    add("--status-interval", type=_seconds, default=30.0, help="seconds; 0 freezes statuses")
    add("--status-share", type=_share, default=0.01, help="of the EVSEs, drawn anew each time")
    add("--page-limit", type=_whole(1, 10_000), default=500)
    return parser


def _whole(least: int, most: int) -> "_Whole":
    return _Whole(least, most)


class _Whole:
    """A whole number within bounds, as an argument's type."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, text: str) -> int:
        if not text.isdigit() or not self.least <= int(text[:12]) <= self.most:
            msg = f"'{text}' is no whole number from {self.least} to {self.most}"
            raise argparse.ArgumentTypeError(msg)
        return int(text)


def _seconds(text: str) -> float:
    return _number(text, most=86_400)


def _share(text: str) -> float:
    return _number(text, most=1)


def _number(text: str, *, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        msg = f"'{text}' is no number from 0 to {most}"
        raise argparse.ArgumentTypeError(msg)
    return number


def _complain(error: Exception) -> int:
    sys.stderr.write(f"sandbox CPO: {error}\n")
    return MISUSE


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
