"""The stack itself: its name, its owner, its account, its network.  One row for each key."""

from lib import parsers
from lib.keys.row import Change, Key, optional

ENVIRONMENT_SUFFIX = Key(
    name="environmentSuffix",
    change=Change.FIXED,
    later="make a second stack with the new suffix beside this one",
    parse=optional(str),
    optional=True,
    default_words="the stack's name",
    example="prod",
    meaning="Ends every name; two stacks with different suffixes live side by side in one account.",
)
OWNER = Key(
    name="owner",
    change=Change.IN_PLACE,
    later="tags alone",
    parse=parsers.pattern(r"[A-Za-z0-9 _.:/=+@-]{1,256}", "must be 1 to 256 characters that AWS takes in a tag"),
    example="platform-team",
    meaning="Value of the tag `Owner` on every resource.",
)
ACCOUNT_ID = Key(
    name="accountId",
    change=Change.FIXED,
    later="make a second stack in the other account",
    parse=optional(parsers.pattern(r"\d{12}", "must be the 12 digits of an account")),
    optional=True,
    default_words="that of `sourceDbSecretArn`",
    example="123456789012",
    meaning="The only account that this stack may be made in, whatever the credentials.",
)
VPC_CIDR = Key(
    name="vpcCidr",
    change=Change.FIXED,
    later="make a second stack with the new range beside this one",
    parse=parsers.vpc_network,
    default="10.42.0.0/16",
    example="10.42.0.0/16",
    meaning="Address range of the new VPC; must not overlap the legacy VPC when they are peered.",
)
NAT_GATEWAYS = Key(
    name="natGateways",
    change=Change.IN_PLACE,
    later="`single` keeps the first address; without peering `per-zone` only while no stream runs and the new stack "
    "has no traffic, until the new `natAddresses` are let in",
    parse=parsers.choice("per-zone", "single"),
    default="per-zone",
    example="per-zone",
    meaning="`per-zone` survives the loss of a zone; `single` costs a third.",
)
FLOW_LOGS = Key(
    name="flowLogs",
    change=Change.IN_PLACE,
    later="comes or goes",
    parse=parsers.boolean,
    default="false",
    example="false",
    meaning="`true` logs every connection of the VPC.",
)
