"""scripts/packages refuses what it cannot do before it mounts or writes anything."""

import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("arguments", [[], ["--here"], ["--suite", "bookworm"], ["--next", "--here", "made"], ["--here", "-h"], ["--here", "--suite", "bookworm", "made"],
                                       ["--her", "made"], ["--here", "made", "more"]], ids=lambda arguments: " ".join(arguments) or "nothing")
def test_arguments_that_mean_nothing(arguments, tmp_path):
    # Whatever is asked of unshare, sudo or dpkg-buildpackage would be seen.
    for name in ("unshare", "sudo", "dpkg-buildpackage", "mount"):
        (tmp_path / name).write_text("#!/bin/sh\necho called >&2\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run([TOP / "scripts/packages", *arguments], cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr and "called" not in done.stderr and not done.stdout
    assert {file.name for file in tmp_path.iterdir()} == {"unshare", "sudo", "dpkg-buildpackage", "mount"}


def test_a_namespace_is_entered_only_for_a_debian_of_its_own(tmp_path):
    """The twin: with arguments that mean something, unshare or sudo is called, with all of them."""
    for name in ("unshare", "sudo"):
        (tmp_path / name).write_text('#!/bin/sh\necho "$*"\n')
        (tmp_path / name).chmod(0o755)
    done = subprocess.run([TOP / "scripts/packages", "--suite", "trixie", "made"], cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("scripts/packages --suite trixie made\n")
