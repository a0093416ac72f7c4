"""Two stacks with different suffixes in one account."""

import pytest

import life
from calls import Translated
from census import count
from configurations import PAIR
from conftest import Opened, Recorded


@pytest.fixture
def pair(recorded: Recorded) -> list[list[Translated]]:
    """Both stacks."""
    return [recorded(each).translated() for each in PAIR]


def test_no_name_of_one_stack_is_taken_by_the_other(pair: list[list[Translated]]) -> None:
    assert not life.collisions(*pair)


def test_each_is_destroyed_without_harm_to_the_other(pair: list[list[Translated]], opened: Opened) -> None:
    left, right = pair
    account = opened(PAIR[0])
    regions = PAIR[0].regions
    before, other, lived = count(account, regions), account.beside(), life.Life()
    life.create(account, left, lived)
    life.create(other, right, lived)
    life.destroy(account, left, lived)
    assert not lived.problems, "\n".join(lived.problems)
    life.look(other, right, lived)
    life.destroy(other, right, lived)
    account.tidy()
    lived.problems += life.left(before, count(account, regions))
    assert not lived.problems, "\n".join(lived.problems)
