"""How fast places are found, among all of Europe's.

Ordinary runs skip benchmarks; `pytest tests/benchmarks -o addopts=--import-mode=importlib` runs
them, with `TEST_DATABASE_URL` on PostgreSQL.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from pytest_benchmark.fixture import BenchmarkFixture
from pytest_django import DjangoDbBlocker

from charging.place_build import build_places
from charging.places import PlaceUnknown, find_places, locate

# As they are typed: each word also half.
TYPED = ("München", "Den Haag", "Genève", "Saint-Étienne", "Amsterdam", "Neustadt", "London", "Rom")
QUERIES = [word[:size] for word in TYPED for size in range(2, len(word) + 1)] + ["Paris, Fr"]
TYPOS = ("Parris", "Berlni", "Amsterdm", "Frankfrut", "Barcelna, ES", "Xyzzyqwrt")

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def _all_places(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        start = time.perf_counter()
        built = build_places(report=print)
        assert built.places > 100_000
        assert time.perf_counter() - start < 60
        yield
        transaction.set_rollback(True)


def median_ms(call: Callable[[str], object], queries: list[str]) -> float:
    """Time each query once and give the median."""
    times = []
    for query in queries:
        start = time.perf_counter()
        call(query)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def suggest(query: str) -> PlaceUnknown:
    with pytest.raises(PlaceUnknown) as caught:
        locate(query)
    return caught.value


class TestPlaces:
    def test_find_while_typing(self, benchmark: BenchmarkFixture) -> None:
        assert benchmark(median_ms, find_places, QUERIES) < 20

    def test_find_by_one_letter(self, benchmark: BenchmarkFixture) -> None:
        assert len(benchmark(find_places, "s")) == 8

    def test_find_near(self, benchmark: BenchmarkFixture) -> None:
        assert benchmark(find_places, "neustadt", near=(11.6, 48.1))[0].country == "DE"

    def test_locate(self, benchmark: BenchmarkFixture) -> None:
        assert benchmark(locate, "Genève, CH").name == "Geneva"

    @pytest.mark.parametrize("query", TYPOS)
    def test_suggest(self, benchmark: BenchmarkFixture, query: str) -> None:
        benchmark(suggest, query)
        assert benchmark.stats is not None
        assert benchmark.stats["median"] < 0.2
