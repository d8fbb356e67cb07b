"""The distribution, its META.json, and what scripts/release checks and prepares: in a repository of the test's own."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests"))

from support.pgparity import PGPARITY  # noqa: E402

# What the PGXN Meta Spec 1.0.0 asks for, of the members that META.json has.
SEMANTIC = {"type": "string", "pattern": r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$"}
TERM = {"type": "string", "pattern": r"^[^\s/\\\x00-\x1f]{2,}$"}
PATH = {"type": "string", "pattern": r"^[^/\\]+(/[^/\\]+)*$"}
REQUIRES = {"type": "object", "additionalProperties": {"oneOf": [SEMANTIC, {"const": 0}]}, "minProperties": 1}
PHASE = {"type": "object", "properties": {name: REQUIRES for name in ("requires", "recommends", "suggests", "conflicts")}, "additionalProperties": False}
PGXN = {
    "type": "object",
    "required": ["name", "version", "abstract", "maintainer", "license", "provides", "meta-spec"],
    "properties": {
        "name": TERM,
        "version": SEMANTIC,
        "abstract": {"type": "string", "minLength": 1},
        "description": {"type": "string", "minLength": 1},
        "maintainer": {"type": "string", "pattern": r"^.+ <[^@<>\s]+@[^@<>\s]+>$"},
        "license": {"enum": ["postgresql"]},
        "release_status": {"enum": ["stable", "testing", "unstable"]},
        "provides": {
            "type": "object", "minProperties": 1, "propertyNames": TERM,
            "additionalProperties": {
                "type": "object", "required": ["file", "version"], "additionalProperties": False,
                "properties": {"file": PATH, "version": SEMANTIC, "abstract": {"type": "string", "minLength": 1}, "docfile": PATH}}},
        "prereqs": {"type": "object", "propertyNames": {"enum": ["configure", "build", "test", "runtime", "develop"]}, "additionalProperties": PHASE},
        "tags": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "pattern": r"^[^/\\\x00-\x1f]{1,255}$"}},
        "generated_by": {"type": "string", "minLength": 1},
        "meta-spec": {"type": "object", "required": ["version"], "properties": {"version": {"const": "1.0.0"}, "url": {"type": "string"}}, "additionalProperties": False},
    },
    "patternProperties": {"^[xX]_": {}},
    "additionalProperties": False,
}
META = json.loads((TOP / "META.json").read_text())
VERSION = META["version"]
FROZEN = "extension/versions/pg_parity--{}.sql"


def text(name, tree=TOP):
    return (tree / name).read_text()


def test_meta():
    jsonschema.validate(META, PGXN)


@pytest.mark.parametrize("change", [
    {"version": "1.0"}, {"name": "a/b"}, {"license": "none"}, {"maintainer": "nobody"}, {"provides": {}}, {"abstract": ""}, {"version": None}, {"unknown": 1},
    {"provides": {"pg_parity": {"version": "1.0.0"}}}, {"prereqs": {"runtime": {"requires": {"PostgreSQL": "13"}}}}, {"meta-spec": {"version": "2"}}])
def test_meta_that_is_wrong(change):
    """The twin: what the spec forbids is found."""
    wrong = {name: value for name, value in {**META, **change}.items() if value is not None}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, PGXN)


def test_one_version():
    """The control file has it. CMake takes it from there; what needs it in its own words has the same."""
    own = re.search(r"^default_version = '(.*)'", text("extension/pg_parity.control"), re.MULTILINE)[1]
    assert VERSION in (own, own + ".0")
    assert {provided["version"] for provided in META["provides"].values()} == {VERSION}
    assert META["provides"]["pg_parity"]["file"] == FROZEN.format(own)
    assert re.search(r"^## (\S+)", text("CHANGELOG.md"), re.MULTILINE)[1] == own
    assert re.match(r"pg-parity \((.*)-", text("debian/changelog"))[1] == own
    assert f"DATA_built = extension/pg_parity--{own}.sql" in text("Makefile")
    said = subprocess.run([PGPARITY, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"pgparity {own} ")


def test_released_scripts_are_frozen():
    """What a release wrote is in this commit as it was then, and the present version's parts are what it was frozen as, if it was."""
    own = re.search(r"^default_version = '(.*)'", text("extension/pg_parity.control"), re.MULTILINE)[1]
    frozen = TOP / FROZEN.format(own)
    if frozen.exists():
        assert frozen.read_text() == "".join(part.read_text() for part in sorted((TOP / "extension/sql").glob("*.sql")))


class Repository:
    """A copy of the tree with a history of its own."""

    def __init__(self, path):
        self.path = path
        kept = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP, capture_output=True, text=True, check=True).stdout
        for name in filter(None, kept.split("\0")):
            if name.startswith(("tests/", "bench/", "driver/")) or not (TOP / name).exists():
                continue  # of no interest here, and many
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, path / name)
        self.git("init", "-q")
        self.commit()

    def git(self, *words):
        return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words], cwd=self.path, capture_output=True, text=True, check=True).stdout

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "t")

    def change(self, name, before, after):
        changed = text(name, self.path)
        assert before in changed
        (self.path / name).write_text(changed.replace(before, after, 1))

    def release(self, directory, version=VERSION):
        return subprocess.run([self.path / "scripts/release", version, directory], capture_output=True, text=True)

    def refusal(self, directory, version=VERSION):
        """What stands in the way; nothing was changed."""
        before = self.git("status", "--porcelain")
        done = self.release(directory, version)
        assert (done.returncode, self.git("status", "--porcelain")) == (1, before)
        assert not directory.exists()
        return done.stderr


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "tree")


def test_dist(repository, tmp_path):
    """make dist needs no server. What is not committed would be missing, and is refused."""
    (repository.path / ".hidden").write_text("of a workplace\n")
    repository.commit()
    done = subprocess.run(["make", "-s", "dist", "PG_CONFIG=/nonexistent"], cwd=repository.path, capture_output=True, text=True)
    archive = repository.path / f"pg_parity-{VERSION}.zip"
    assert (done.returncode, done.stdout) == (0, f"{archive}\n")
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        assert json.loads(opened.read(f"pg_parity-{VERSION}/META.json")) == META
    assert all(name.startswith(f"pg_parity-{VERSION}/") for name in names)
    relative = {name.split("/", 1)[1] for name in names}
    assert {"META.json", "Makefile", "README.md", "LICENSE", "extension/pg_parity.control", "docs/sql.md", "sql/forms.sql"} <= relative
    assert not [name for name in relative if name.startswith(".")]
    (repository.path / "new.txt").write_text("new\n")
    done = subprocess.run(["make", "-s", "dist"], cwd=repository.path, capture_output=True, text=True)
    assert done.returncode != 0 and "new.txt" in done.stderr


def test_a_release(repository, tmp_path):
    own = VERSION.removesuffix(".0")
    out = tmp_path / "out"
    prepared = repository.release(out)
    assert prepared.returncode == 0, prepared.stderr
    assert "git commit -m 'Release: " in prepared.stdout and not out.exists()
    assert "(unreleased)" not in text("CHANGELOG.md", repository.path).split("\n## ")[1]
    assert "UNRELEASED" not in text("debian/changelog", repository.path)
    assert json.loads(text("META.json", repository.path))["release_status"] == "stable"
    repository.commit()

    out.mkdir()
    (out / "pgparity").write_text("a binary\n")
    done = repository.release(out)
    assert done.returncode == 0, done.stderr
    assert f"git tag -a v{VERSION} " in done.stdout and repository.git("tag") == "" and repository.git("status", "--porcelain") == ""
    sums = dict(reversed(line.split("  ")) for line in text("SHA256SUMS", out).splitlines())
    assert sums == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir() if path.name != "SHA256SUMS"}
    assert set(sums) == {"pgparity", f"pg_parity-{VERSION}.zip"}
    with zipfile.ZipFile(out / f"pg_parity-{VERSION}.zip") as archive:
        meta = json.loads(archive.read(f"pg_parity-{VERSION}/META.json"))
        script = archive.read(f"pg_parity-{VERSION}/{meta['provides']['pg_parity']['file']}").decode()
    jsonschema.validate(meta, PGXN)
    assert script == "".join(part.read_text() for part in sorted((TOP / "extension/sql").glob("*.sql")))
    # What was frozen stays so.
    assert own in repository.git("ls-files", "extension/versions")
    repository.change("extension/sql/50-schedule.sql", "\n", "\n-- changed\n")
    repository.commit()
    assert "changes need a new version" in repository.release(out).stderr


@pytest.mark.parametrize("name, before, after, said", [
    ("META.json", f'"version": "{VERSION}"', '"version": "7.0.0"', "META.json names version 7.0.0"),
    ("CHANGELOG.md", "## 1.0 ", "## 7.0 ", "CHANGELOG.md names version 7.0"),
    ("debian/changelog", "(1.0-", "(7.0-", "debian/changelog names version 7.0"),
    ("extension/pg_parity.control", "'1.0'", "'7.0'", "extension/pg_parity.control names version 7.0.0")])
def test_another_version_somewhere(repository, tmp_path, name, before, after, said):
    repository.change(name, before, after)
    repository.commit()
    assert said in repository.refusal(tmp_path / "out")


def test_what_stands_in_the_way(repository, tmp_path):
    out = tmp_path / "out"
    assert '"1.0" is no version' in repository.refusal(out, "1.0")
    assert "names version" in repository.refusal(out, "7.0.0")
    (repository.path / "extension/versions").mkdir(exist_ok=True)
    (repository.path / FROZEN.format("0.9")).write_text("-- an older one\n")
    assert "not committed" in repository.refusal(out)
    repository.commit()
    assert "no upgrade script leads from 0.9 to" in repository.refusal(out)
    (repository.path / FROZEN.format("0.9--0.95")).write_text("-- a step\n")
    (repository.path / FROZEN.format("0.95--" + VERSION.removesuffix(".0"))).write_text("-- another\n")
    repository.commit()
    assert repository.release(out).returncode == 0
    repository.commit()
    repository.git("tag", f"v{VERSION}")
    assert "there is a tag" in repository.refusal(out)
