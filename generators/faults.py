"""Mistakes in a strategy file: collected, so that one run shows all, each with the place it stands at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from dagtool.errors import CollectedError, DagtoolError
from dagtool.generators.toml_positions import Path, Positions, find_positions

__all__ = ["Faults", "MisplacedError", "Source"]


class MisplacedError(DagtoolError):
    """A part of the model that cannot be computed where it lies; ``place`` is the place that decides it."""

    def __init__(self, message: str, hint: str = "", *, place: str = "") -> None:
        super().__init__(message, hint)
        self.place = place


@dataclass
class Source:
    """Where a strategy comes from: its name as the caller wrote it, its text, and what ``--set`` changed."""

    name: str = ""
    text: str = ""
    """The TOML, where its lines can be named; empty for presets and for documents made in Python."""
    settings: frozenset[Path] = field(default_factory=frozenset)
    """The keys that were given by ``--set``."""

    @cached_property
    def _positions(self) -> Positions:
        return find_positions(self.text)

    def position(self, keys: Path) -> tuple[int, int] | None:
        """Return line and column of a key, or of the table it would stand in; None where the text has neither."""
        return self._positions.at(keys) if self.text and keys not in self.settings else None

    def place(self, keys: Path) -> str:
        """Return ``file:line:column`` of a key, ``--set``, or the name alone."""
        if keys in self.settings:
            return "--set"
        position = self.position(keys)
        return ":".join([self.name, *map(str, position)]) if position else self.name

    def error(self, keys: Path, message: str, hint: str = "") -> DagtoolError:
        """Return an error that begins with the place of a key."""
        place = self.place(keys)
        return DagtoolError(f"{place}: {message}" if place else message, hint)


class Faults:
    """Collects mistakes; ``end`` raises them all."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._found: list[tuple[tuple[int, int], DagtoolError]] = []

    def add(self, keys: Path, message: str, hint: str = "") -> None:
        """Note a mistake at a key."""
        position = self.source.position(keys) or (0, 0)
        self._found.append((position, self.source.error(keys, message, hint)))

    @contextmanager
    def at(self, *keys: str | int) -> Iterator[None]:
        """Note the DagtoolError that the block raises, at a key; the program goes on behind the block."""
        try:
            yield
        except DagtoolError as error:
            self.add(keys, error.message, error.hint)

    @property
    def count(self) -> int:
        """How many mistakes were found so far."""
        return len(self._found)

    def end(self) -> None:
        """Raise what was found: nothing, one DagtoolError, or a CollectedError in the order of the file."""
        errors = [error for _, error in sorted(self._found, key=lambda one: one[0])]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise CollectedError(errors)
