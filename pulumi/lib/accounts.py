"""The accounts that log in to Aurora, each with a secret of its own: the application, its readers, DMS, tapctl.

The secrets are made here; the SQL task (`sql_task`) makes the accounts in the database from them.  The master user is
for that task alone.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from lib.firewall import MYSQL_PORT
from lib.naming import Naming

# Username by kind: MySQL names its accounts without the stack's suffix, since they are the same on both databases.
USERNAMES = {"app": "app", "app-ro": "app_ro", "dms": "dms", "tapctl": "tapctl"}


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """One account's secret, and what must stand before anybody reads it."""

    name: str
    """What tells the secret apart before there is an ARN: its name in this stack, or the ARN of a given one."""
    arn: pulumi.Input[str]
    version: pulumi.Resource | None
    """`None` for a secret that is not of this stack."""

    @staticmethod
    def given(arn: str) -> "Credentials":
        """A secret that was there before the stack."""
        return Credentials(name=arn, arn=arn, version=None)


@dataclass(frozen=True, kw_only=True)
class AccountsArgs:
    """What the secrets hold."""

    naming: Naming
    writer_endpoint: pulumi.Output[str]
    reader_endpoint: pulumi.Output[str]
    app_is_given: bool
    """Whether the application's account is the legacy one, whose secret is there already."""


class Accounts(pulumi.ComponentResource):
    """A secret for each account, with host and port as DMS wants them."""

    secrets: dict[str, Credentials]

    def __init__(self, name: str, args: AccountsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates a password and a secret for each account."""
        super().__init__("tap:database:Accounts", name, {}, opts)
        self._naming = args.naming
        self._child = pulumi.ResourceOptions(parent=self)
        self.secrets = {
            kind: self._secret(kind, username, args.reader_endpoint if kind == "app-ro" else args.writer_endpoint)
            for kind, username in USERNAMES.items()
            if kind != "app" or not args.app_is_given
        }
        self.register_outputs({f"{kind}SecretArn": secret.arn for kind, secret in self.secrets.items()})

    def _secret(self, kind: str, username: str, host: pulumi.Output[str]) -> Credentials:
        made = password(self._naming.name(f"{kind}-password"), self._child)
        secret, version = secret_with(
            self._naming,
            f"{kind}-secret",
            f"Account {username} of the migration's Aurora cluster",
            {"engine": "mysql", "host": host, "port": MYSQL_PORT, "username": username, "password": made},
            self._child,
        )
        return Credentials(name=f"{kind}-secret", arn=secret.arn, version=version)


def password(name: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """A password of the alphabet that RDS (no / @ " space) and DMS (no { } ;) both accept, and every URL."""
    return random.RandomPassword(
        name,
        length=32,
        special=True,
        override_special="_-",
        min_lower=1,
        min_upper=1,
        min_numeric=1,
        opts=opts,
    ).result


def secret_with(
    naming: Naming, kind: str, description: str, content: dict[str, pulumi.Input[object]], opts: pulumi.ResourceOptions
) -> tuple[aws.secretsmanager.Secret, aws.secretsmanager.SecretVersion]:
    """A secret with this content as JSON."""
    name = naming.name(kind)
    secret = aws.secretsmanager.Secret(
        name,
        name=name,
        description=description,
        # Deleted at once: a secret that waits for its deletion keeps its name from the next stack.
        recovery_window_in_days=0,
        tags=naming.tags(name),
        opts=opts,
    )
    version = aws.secretsmanager.SecretVersion(
        f"{name}-version",
        secret_id=secret.id,
        secret_string=pulumi.Output.secret(pulumi.Output.json_dumps(content)),
        opts=opts,
    )
    return secret, version
