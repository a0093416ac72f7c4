"""Names and tags."""

import re

import pytest

from lib.naming import KINDS, NameRefusedError, Naming


def naming(suffix: str) -> Naming:
    return Naming(suffix=suffix, owner="platform-team", project="tap")


@pytest.mark.parametrize(
    ("kind", "number", "name"),
    [
        ("vpc", None, "migration-vpc-prod"),
        ("alb", None, "migration-alb-prod"),
        ("cluster", None, "migration-cluster-prod"),
        ("private-subnet", 2, "migration-private-subnet-2-prod"),
    ],
)
def test_names(kind: str, number: int | None, name: str) -> None:
    assert naming("prod").name(kind, number) == name


@pytest.mark.parametrize(("kind", "number"), [("vpc", 1), ("private-subnet", None), ("private-subnet", 4)])
def test_only_what_comes_in_numbers_is_numbered(kind: str, number: int | None) -> None:
    with pytest.raises(NameRefusedError):
        naming("prod").name(kind, number)


@pytest.mark.parametrize("suffix", ["prod", "pr-42", "a", "0", "x" * 18])
def test_suffixes_that_aws_takes(suffix: str) -> None:
    made = naming(suffix)
    assert all(
        made.name(kind, limit.count if limit.count > 1 else None).endswith(suffix) for kind, limit in KINDS.items()
    )


@pytest.mark.parametrize(
    ("suffix", "reason"),
    [
        ("Prod", "lower-case"),
        ("pr_42", "lower-case"),
        ("a--b", "single hyphens"),
        ("-a", "single hyphens"),
        ("a-", "single hyphens"),
        ("", "lower-case"),
        ("ümlaut", "lower-case"),
        # Load balancers have the shortest names: 32 characters.
        ("x" * 19, "at most 18"),
    ],
)
def test_suffixes_that_aws_would_refuse_halfway(suffix: str, reason: str) -> None:
    with pytest.raises(NameRefusedError, match=reason):
        naming(suffix)


@pytest.mark.parametrize("suffix", ["prod", "x" * 13, "x" * 14, "x" * 18, "abcdefgh-ijklmnopq"])
@pytest.mark.parametrize("port", [80, 8080, 65535])
def test_a_target_group_carries_its_port_within_what_aws_takes(suffix: str, port: int) -> None:
    name = naming(suffix).target_group(port)
    assert len(name) <= 32
    assert name.startswith(f"migration-tg-{port}-")
    assert "--" not in name
    assert name != naming(suffix).target_group(port - 1)
    names = [name]
    for other in (port - 1, port, port - 1, port):
        names.append(naming(suffix).target_group(other, after=names[-1]))
        assert re.fullmatch(rf"migration-tg-{other}-[a-z0-9]([a-z0-9-]*[a-z0-9])?", names[-1])
        assert len(names[-1]) <= 32
    assert len(set(names)) == len(names)


def test_long_suffixes_that_begin_alike_share_no_target_group() -> None:
    names = {naming("x" * 16 + end).target_group(8080) for end in ("aa", "ab", "ba")}
    assert len(names) == 3


def test_a_digest_tells_contents_apart() -> None:
    made = naming("prod")
    assert made.with_digest("dms-ca", "one") != made.with_digest("dms-ca", "two")
    assert made.with_digest("dms-ca", "one") == made.with_digest("dms-ca", "one")
    other = made.with_digest("dms-ca", "other", after=made.with_digest("dms-ca", "one"))
    assert made.with_digest("dms-ca", "one", after=other) != made.with_digest("dms-ca", "one")


def test_tags() -> None:
    assert naming("prod").tags("migration-vpc-prod") == {
        "Name": "migration-vpc-prod",
        "Environment": "prod",
        "Owner": "platform-team",
        "Project": "tap",
    }
