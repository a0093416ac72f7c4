"""The life of a stack in an account: created in dependency order, seen, destroyed in the opposite order, gone."""

import json
from collections import Counter
from dataclasses import dataclass, field

from account import NOT_SERVED, Account, RefusedError
from calls import Look, Translated
from census import Census, count


@dataclass
class Life:
    """What went wrong, one sentence each, and how much was done."""

    problems: list[str] = field(default_factory=list[str])
    sent: int = 0
    not_sent: int = 0


def create(account: Account, stack: list[Translated], life: Life) -> None:
    """Makes every resource, and looks whether it is there."""
    made = [call for each in stack for call in each.create if str(call) not in NOT_SERVED]
    words = {word for call in made for word in call.learns}
    for each in stack:
        life.problems += _too_early(account, each, words)
        _send(account, each, "create", life)
        if each.look and _served(each.look) and not _held(account, each, each.look, life):
            life.problems.append(f"{each.resource.type} {each.resource.name} is not there after it was created")


def look(account: Account, stack: list[Translated], life: Life) -> None:
    """Looks whether every resource is there."""
    for each in stack:
        if each.look and _served(each.look) and not _held(account, each, each.look, life):
            life.problems.append(f"{each.resource.type} {each.resource.name} is not there any more")


def destroy(account: Account, stack: list[Translated], life: Life) -> None:
    """Takes every resource away, and then looks whether any is left."""
    for each in reversed(stack):
        _send(account, each, "destroy", life)
    for each in stack:
        if each.look and _served(each.look) and _held(account, each, each.look, life):
            life.problems.append(f"{each.resource.type} {each.resource.name} is left after destroy")


def twice(account: Account, stack: list[Translated], regions: list[str]) -> Life:
    """Created, destroyed, created again and destroyed: the account is then as it was before."""
    life = Life()
    before = count(account, regions)
    for _ in range(2):
        create(account, stack, life)
        destroy(account, stack, life)
        account.tidy()
        life.problems += left(before, count(account, regions))
        if life.problems:
            break
    return life


def collisions(*stacks: list[Translated]) -> list[str]:
    """Names that more than one resource has, in one stack or in two."""
    found: list[str] = []
    seen: set[tuple[str, ...]] = set()
    for stack in stacks:
        counted = Counter(name for each in stack for name in each.names)
        found += [f"{' '.join(name)} is a name of two resources" for name, times in counted.items() if times > 1]
        found += [f"{' '.join(name)} is a name of both stacks" for name in sorted(seen & set(counted))]
        seen |= set(counted)
    return found


def left(before: Census, after: Census) -> list[str]:
    """What is in the account now and was not before, whoever made it, and what is missing."""
    more = [f"{kind} {name} is left in the account" for kind, name in sorted(after - before)]
    return more + [f"{kind} {name} was there before and is gone" for kind, name in sorted(before - after)]


def _too_early(account: Account, each: Translated, words: set[str]) -> list[str]:
    """What a resource names that is made after it: a dependency that the program left out."""
    own = {word for call in each.create for word in call.learns}
    sent = json.dumps([call.parameters for call in each.create])
    missing = sorted(word for word in words - own - set(account.known) if word in sent)
    return [f"{each.resource.type} {each.resource.name} names {word} before it is there" for word in missing]


def _send(account: Account, each: Translated, phase: str, life: Life) -> None:
    for call in each.create if phase == "create" else each.destroy:
        if str(call) in NOT_SERVED:
            life.not_sent += 1
            continue
        life.sent += 1
        try:
            account.send(call)
        except RefusedError as error:
            life.problems.append(f"{phase} {each.resource.type} {each.resource.name}: {error}")


def _served(look: Look) -> bool:
    return str(look.call) not in NOT_SERVED


def _held(account: Account, each: Translated, look: Look, life: Life) -> bool:
    life.sent += 1
    try:
        return account.holds(look)
    except RefusedError as error:
        life.problems.append(f"look for {each.resource.type} {each.resource.name}: {error}")
        return False
