"""Extensions of the tests' own: files in a PostgreSQL's folder for them, as CREATE EXTENSION wants them."""

import contextlib
import fcntl
import os

VERSION = "0.tests"


@contextlib.contextmanager
def extension_files(installation, texts):
    """Files there by their names, but none that exists. One caller at a time, whichever process asks."""
    folder = os.path.join(installation.root + installation.sharedir, "extension")
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    made = []
    try:
        for name, text in texts.items():
            path = os.path.join(folder, name)
            if not os.path.exists(path):
                made.append(path)
                with open(path, "w") as file:
                    file.write(text)
        yield
    finally:
        for path in made:
            os.unlink(path)
        os.close(lock)


@contextlib.contextmanager
def extension(installation, name, script):
    """An extension whose script is `script`, as version VERSION of `name`; gives the statement that creates it. Whoever else has it
    installed keeps his control file."""
    files = {f"{name}--{VERSION}.sql": script, f"{name}.control": f"default_version = '{VERSION}'\nrelocatable = false\n"}
    with extension_files(installation, files):
        yield f'CREATE EXTENSION "{name}" VERSION \'{VERSION}\''
