"""Which engine reads which side, as a parameter of tests."""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Engines:
    """The engine of each side. A side that streams has no extension."""
    source: str
    target: str

    @property
    def arguments(self):
        """What pgparity is told."""
        return ["--engine", self.source if self.source == self.target else "auto"]

    def has_extension(self, side):
        return getattr(self, side) == "extension"

    def __str__(self):
        return f"{self.source}-{self.target}"


# In every run the two are held against each other; the rest is for long ones.
ALL_ENGINES = [
    Engines("extension", "extension"), Engines("extension", "stream"),
    pytest.param(Engines("stream", "extension"), marks=pytest.mark.long), pytest.param(Engines("stream", "stream"), marks=pytest.mark.long),
]
