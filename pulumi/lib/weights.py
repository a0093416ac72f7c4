"""Which weights the program declares, given what Route 53 holds now.

Two writers own these records: tapctl moves the weights, Pulumi declares the rest.  Pulumi's `ignore_changes` takes
the ignored value from the *state*, so an `up` without a refresh that touches anything else on the record would send
a stale weight.  The program therefore declares what it reads from the zone, and a weight only has a first value when
there is nothing to read.  Pure: the caller reads the zone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

FIRST_LEGACY_WEIGHT = 100
FIRST_NEW_WEIGHT = 0


@dataclass(frozen=True, kw_only=True)
class LiveRecord:
    """One record set that the zone holds under the name."""

    type: str
    set_identifier: str | None
    weight: int | None
    alias: str | None = None
    """The DNS name that it leads to, when it is an alias."""


@dataclass(frozen=True)
class Weights:
    """The weights of the pair, 0 to 255 each, as Route 53 takes them."""

    legacy: int
    new: int

    @property
    def new_share(self) -> bool:
        """Whether Route 53 answers with the new stack; two weights of 0 are equal shares."""
        return self.new > 0 or self.legacy == 0


class RecordConflictError(Exception):
    """The name is taken by records that are not this stack's pair; the text says which, `command` what to do."""

    def __init__(self, sentence: str, command: str) -> None:
        """Keeps the way out beside the sentence."""
        super().__init__(sentence)
        self.command = command


RELEASED = Weights(0, 1)
"""What a name counts as that a plain record hands to the new stack alone."""


def released_to(balancer: str | None, live: Iterable[LiveRecord]) -> bool:
    """Whether the name is a plain alias of this stack's own load balancer, as `tapctl release --to new` leaves it."""
    plain = [record for record in live if record.type == "A" and not record.set_identifier]
    return balancer is not None and len(plain) == 1 and _host(plain[0].alias or "") == _host(balancer)


def _host(name: str) -> str:
    """Route 53's console puts `dualstack.` in front of an alias to a load balancer."""
    return name.lower().removesuffix(".").removeprefix("dualstack.")


def declared(live: Iterable[LiveRecord], *, record_name: str, legacy_id: str, new_id: str) -> Weights:
    """The weights to declare.

    What is there stays as it is, 0/0 included.  A lone legacy record keeps its weight.  A lone new record means that
    somebody took the legacy one away, so all traffic is already on it: the legacy record comes back with 0.  A lone
    record with weight 0 takes everything, but beside another 0 only half: it gets the least weight that keeps it.
    """
    found: dict[str, int] = {}
    for record in live:
        if record.type == "CNAME" or (record.type == "A" and not record.set_identifier):
            kind = "CNAME" if record.type == "CNAME" else "plain A"
            msg = (
                f"is {record_name!r}, which has a {kind} record, and that cannot stand beside a weighted pair. Wanted: "
                f"a weighted A record with the set identifier {legacy_id!r} in its place, by one batch: see 'The "
                "record that is already there' in pulumi/README.md"
            )
            raise RecordConflictError(msg, "tapctl adopt")
        if record.type != "A" or record.set_identifier is None:
            continue
        if record.set_identifier not in {legacy_id, new_id} or record.weight is None:
            msg = (
                f"is {record_name!r}, which has a record {record.set_identifier!r} that is not of this stack: another "
                "stack or tool owns the name. Wanted: another name, or that record gone"
            )
            raise RecordConflictError(msg, "pulumi config set recordName NAME")
        found[record.set_identifier] = record.weight
    legacy, new = found.get(legacy_id), found.get(new_id)
    if legacy is None and new is None:
        return Weights(FIRST_LEGACY_WEIGHT, FIRST_NEW_WEIGHT)
    if legacy is None:
        return Weights(0, new or 1)
    if new is None:
        return Weights(legacy or FIRST_LEGACY_WEIGHT, FIRST_NEW_WEIGHT)
    return Weights(legacy, new)
