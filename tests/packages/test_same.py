"""The packages that `scripts/packages --here` builds after scripts/build hold what the other tests run: the command and the module."""

import os
import subprocess
from pathlib import Path

import pytest

from debs import COMMAND, EXTENSION, MODULE, extract

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("BUILD_DIR", TOP / "build"))


def loaded(program, image):
    """What a program is in memory, without the number of the build, which is made of debug information, too."""
    subprocess.run(["objcopy", "--output-target=binary", "--remove-section=.note.gnu.build-id", program, image], check=True)
    return image.read_bytes()


@pytest.mark.parametrize("package, path, tested", [("pgparity", COMMAND, BUILD / "pgparity"), (EXTENSION, MODULE, TOP / "pg_parity.so")])
def test_what_is_packaged_is_what_is_tested(tmp_path, package, path, tested):
    extract(package, tmp_path)
    packaged = loaded(f"{tmp_path}{path}", tmp_path / "packaged")
    assert len(packaged) > 100_000
    assert packaged == loaded(tested, tmp_path / "tested")
    # One letter of a name or of a message is seen.
    changed = tmp_path / "changed"
    changed.write_bytes(tested.read_bytes().replace(b"parity", b"parody", 1))
    assert packaged != loaded(changed, tmp_path / "image")
