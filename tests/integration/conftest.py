import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jsonschema  # noqa: E402
import pytest  # noqa: E402

from support.cluster import Cluster  # noqa: E402
from support.pgparity import TOP, pgparity  # noqa: E402

SCHEMA = TOP / "docs" / "report.schema.json"


def pytest_configure(config):
    config.addinivalue_line("markers", "long: only run by scripts/test --long")


@pytest.fixture(scope="session")
def source_cluster():
    with Cluster("source") as cluster:
        cluster.add_locale("en_US.UTF-8")
        yield cluster


@pytest.fixture(scope="session")
def target_cluster():
    """Another default collation than the source's, and every setting that changes how values print."""
    settings = {"TimeZone": "Asia/Kolkata", "DateStyle": "German", "IntervalStyle": "sql_standard", "extra_float_digits": "-3",
                "bytea_output": "escape", "xmloption": "document", "default_toast_compression": "lz4"}
    with Cluster("target", icu_locale="en-US", settings=settings) as cluster:
        yield cluster


class Pair:
    """A fresh database on each side, both with the extension, and pgparity between them."""

    def __init__(self, source, target):
        self.source = source
        self.target = target

    def both(self, sql):
        self.source.execute(sql)
        self.target.execute(sql)

    def run(self, *arguments, source=None, target=None, **options):
        """pgparity compare between the sides with exactly these arguments."""
        return pgparity("compare", "--source", source or self.source.conninfo(), "--target", target or self.target.conninfo(),
                        *arguments, **options)

    def compare(self, *arguments, **options):
        """The same with a JSON report, which must be as its schema says."""
        run = self.run("--format", "json", *arguments, **options)
        if run.stdout:
            jsonschema.validate(run.report, json.loads(SCHEMA.read_text()))
        return run


def make_pair(source_cluster, target_cluster):
    made = Pair(source_cluster.create_database(), target_cluster.create_database())
    yield made
    source_cluster.drop_database(made.source)
    target_cluster.drop_database(made.target)


@pytest.fixture
def pair(source_cluster, target_cluster):
    """For one test alone."""
    yield from make_pair(source_cluster, target_cluster)


@pytest.fixture(scope="module")
def module_pair(source_cluster, target_cluster):
    yield from make_pair(source_cluster, target_cluster)


@pytest.fixture
def scratch(module_pair):
    """A module's pair, for tests that make nothing but the table t: making databases takes longer than such a test."""
    yield module_pair
    module_pair.both("DROP TABLE IF EXISTS t")
