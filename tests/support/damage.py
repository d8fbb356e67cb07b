"""Changes a value in the files of a standby, as its disk would."""

import os


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
