"""Changes a value in the files of a standby, as its disk would."""

import os
import struct


def damage_value(primary, standby, relation, value, other):
    """`value` is a text that one row of the primary's table has, and `other` one of as many bytes, which the standby has then instead. Starts
    the standby anew; `primary` is a database."""
    assert len(value) == len(other)
    primary.execute("CHECKPOINT")
    standby.catch_up()
    file = os.path.join(standby.data_directory, primary.value("SELECT pg_relation_filepath(%s)", [relation]))
    standby.stop()
    with open(file, "r+b") as heap:
        page = heap.read()
        assert page.count(value.encode()) == 1
        heap.seek(page.index(value.encode()))
        heap.write(other.encode())
    standby.start()


PAGE = 8192
LINE_POINTERS = 24


class DamagedCopy:
    """A copy of a database, in the files of which something is broken before the server has read them. `original` is one whose files are
    as they should be; nobody may be connected to it."""

    def __init__(self, original, name):
        self.original = original
        cluster = original.cluster
        cluster.execute("CHECKPOINT")
        strategy = "STRATEGY file_copy" if cluster.installation.major >= 15 else ""
        cluster.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original.name}" {strategy}')
        self.database = cluster.database(name)
        self.folder = os.path.join(cluster.data_directory, "base", str(cluster.value(f"SELECT oid FROM pg_database WHERE datname = '{name}'")))

    def _change(self, file, at, write):
        with open(os.path.join(self.folder, os.path.basename(file)), "r+b") as relation:
            relation.seek(at)
            relation.write(write)

    def _read(self, file, at, length):
        with open(os.path.join(self.folder, os.path.basename(file)), "rb") as relation:
            relation.seek(at)
            return relation.read(length)

    def break_block(self, file, block, with_bytes=b"\xff"):
        self._change(file, block * PAGE, with_bytes * PAGE)

    def forget_row(self, file, block, line):
        """The line pointer is one of no row."""
        self._change(file, block * PAGE + LINE_POINTERS + 4 * (line - 1), bytes(4))

    def break_row(self, file, block, line):
        """The row was written by a transaction of which nobody knows what became of it."""
        pointer = struct.unpack("<I", self._read(file, block * PAGE + LINE_POINTERS + 4 * (line - 1), 4))[0]
        row = block * PAGE + (pointer & 0x7FFF)
        self._change(file, row, struct.pack("<I", 0xC0000000))
        hints = struct.unpack("<H", self._read(file, row + 20, 2))[0]
        self._change(file, row + 20, struct.pack("<H", hints & ~0x0300))
