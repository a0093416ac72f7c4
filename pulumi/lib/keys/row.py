"""What a configuration key is, and why a value is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Change(Enum):
    """What a changed value does to a stack that runs."""

    IN_PLACE = "in place"
    """AWS modifies what is there, or something without state comes and goes."""
    REPLACED = "replaced"
    """A new one is made under another physical name, what uses the old one moves over, and the old one goes."""
    FIXED = "fixed"
    """Refused: it would take the database, the name or the network with it."""


@dataclass(frozen=True, kw_only=True)
class Key(Generic[T_co]):
    """One configuration key of the program."""

    name: str
    parse: Callable[[str], T_co]
    meaning: str
    example: str
    change: Change
    later: str
    """What an operator should know before the value of a running stack is changed; for a fixed key, how to move."""
    default: str | None = None
    """The value as one would type it; `None` when there is none."""
    optional: bool = False
    """Whether the key may be left out though it has no default."""
    default_words: str = ""
    """What the README says instead of the default's value."""

    @property
    def required(self) -> bool:
        """Whether a stack without the key is refused."""
        return self.default is None and not self.optional


@dataclass(frozen=True)
class Refusal:
    """Why a value is refused: the key, what was found and is wanted, and the command that leads out of it."""

    key: Key[object]
    sentence: str
    command: str


def optional(parse: Callable[[str], T_co]) -> Callable[[str], T_co | None]:
    """The parser of a key that may be left out."""
    return parse
