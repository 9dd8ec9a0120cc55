"""What this CPO serves: real dumps verbatim, or a generated demo network; kept over restarts."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from emsp.sandbox.cpo.dump import fingerprint, make_thing, read_dumps
from emsp.sandbox.cpo.generator import GENERATOR_VERSION, NetworkWish, generate_network
from emsp.sandbox.cpo.places import Site, read_sites
from emsp.sandbox.cpo.protocol import Party
from emsp.sandbox.cpo.store import Store, Thing, compact


@dataclass(frozen=True, slots=True)
class CatalogueWish:
    """What the command line asked to be served."""

    data: tuple[Path, ...]
    sites: Path | None
    stations: int
    seed: int
    party: Party
    name: str

    def source(self) -> str:
        """Sum up everything that decides what is served, to know it again at a restart.

        Raises: DumpUnreadable.
        """
        if self.data:
            return f"data:{fingerprint(self.data)}"
        sites = fingerprint([self.sites]) if self.sites else "none"
        wish = [GENERATOR_VERSION, sites, self.stations, self.seed, self.name]
        summary = json.dumps([*wish, self.party.country_code, self.party.party_id])
        return f"generated:{hashlib.sha256(summary.encode()).hexdigest()}"


def prepare_catalogue(store: Store, wish: CatalogueWish, now: datetime) -> list[str]:
    """Fill the store unless it holds this very catalogue already; give sentences to show.

    Raises: DumpUnreadable, SitesUnreadable.
    """
    source = wish.source()
    if store.setting("source") == source:
        return ["kept the catalogue of the last run"]
    notes: list[str] = []
    roles: dict[Party, str] = {}
    if wish.data:
        dump = read_dumps(wish.data)
        things, roles = dump.things, dump.parties
    else:
        things, notes = _generated(wish, now)
    with store.transaction():
        store.replace_catalogue(things)
        store.write_setting(
            "roles", json.dumps([[p.country_code, p.party_id, name] for p, name in roles.items()])
        )
        store.write_setting("source", source)
    return notes


def served_roles(store: Store, wish: CatalogueWish) -> dict[Party, str]:
    """Name our own party first, then whose objects a dump holds: a platform of several CPOs."""
    roles = {wish.party: wish.name}
    for country_code, party_id, name in json.loads(store.setting("roles") or "[]"):
        party = Party(country_code, party_id)
        if not any(party.matches(known) for known in roles):
            roles[party] = name
    return roles


def _generated(wish: CatalogueWish, now: datetime) -> tuple[list[Thing], list[str]]:
    sites: list[Site] = []
    notes: list[str] = []
    if wish.sites:
        sites, left_out = read_sites(wish.sites)
        notes.append(f"{len(sites)} road sites read from {wish.sites.name}")
        if left_out:
            notes.append(f"{left_out} rows left out: not in Europe or of another kind")
    else:
        notes.append("no --sites file: towns only, nothing along motorways")
    network = generate_network(
        NetworkWish(
            sites=tuple(sites),
            stations=wish.stations,
            seed=wish.seed,
            party=wish.party,
            operator=wish.name,
            now=now,
        )
    )
    things = [make_thing("tariff", found, compact(found)) for found in network.tariffs]
    things += [make_thing("location", found, compact(found)) for found in network.locations]
    return things, notes
