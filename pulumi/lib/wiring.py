"""How the application finds its databases: hosts in order, and whose credentials.  Pure but for `Output`.

Exactly one database may be written to.  Where the application's account is the same on both, its tasks get both hosts,
the expected writer first, and the database that lets the account in is the writer: nothing has to propagate in a
cutover.  Otherwise they get the one host that they have an account for.
"""

from dataclasses import dataclass

import pulumi

from lib.accounts import Accounts, Credentials
from lib.database import Database
from lib.firewall import MYSQL_PORT
from lib.settings import Accounts as ConfiguredAccounts
from lib.settings import SourceDatabase


@dataclass(frozen=True, kw_only=True)
class Server:
    """One database as a client sees it."""

    host: pulumi.Input[str]
    port: int

    @property
    def address(self) -> pulumi.Output[str]:
        """Host and port as one word."""
        return pulumi.Output.concat(self.host, ":", str(self.port))


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What the tasks are told, and which secrets the identities have."""

    writer: Server
    writers: tuple[Server, ...]
    """Every host that the tasks may write to, the expected one first."""
    reader: Server
    writer_needs_tls: bool
    """Whether one of the hosts that may be written to lies beyond the Internet."""
    app: Credentials
    app_read_only: Credentials
    dms: Credentials
    secret_outputs: dict[str, pulumi.Input[str]]
    """Stack outputs of the identities; what is not configured is absent."""

    @property
    def versions(self) -> list[pulumi.Resource]:
        """The secrets' contents, which must stand before a task starts."""
        return [each.version for each in (self.app, self.app_read_only) if each.version is not None]


def wire(
    configured: ConfiguredAccounts,
    source: SourceDatabase,
    database: Database,
    accounts: Accounts,
    *,
    writer_is_aurora: bool,
    peered: bool,
) -> Wiring:
    """The wiring of one stack; where the accounts are not used yet, everybody is the master user."""
    legacy = Server(host=source.endpoint, port=source.port)
    aurora = Server(host=database.writer_endpoint, port=MYSQL_PORT)
    reader = Server(host=database.reader_endpoint, port=MYSQL_PORT)
    master = database.master
    secrets = accounts.secrets if configured.separate else {}
    given = configured.legacy_app_secret_arn
    same = None if given is None else Credentials.given(given)
    aurora_app = same or secrets.get("app", master)
    legacy_app = same or Credentials.given(source.secret_arn)
    expected, other = (aurora, legacy) if writer_is_aurora else (legacy, aurora)
    writers = (expected,) if same is None else (expected, other)
    outputs: dict[str, pulumi.Input[str]] = {}
    if secrets:
        outputs |= {
            "appSecretArn": aurora_app.arn,
            "appReadOnlySecretArn": secrets["app-ro"].arn,
            "dmsSecretArn": secrets["dms"].arn,
            "tapctlSecretArn": secrets["tapctl"].arn,
        }
    if given is not None:
        outputs["legacyAppSecretArn"] = given
    if configured.legacy_tapctl_secret_arn is not None:
        outputs["legacyTapctlSecretArn"] = configured.legacy_tapctl_secret_arn
    return Wiring(
        writer=expected,
        writers=writers,
        reader=reader,
        # AWS encrypts what crosses a peering of two regions, and nothing of Aurora leaves the VPC.
        writer_needs_tls=any(each is legacy for each in writers) and not peered,
        app=aurora_app if writer_is_aurora else legacy_app,
        app_read_only=secrets.get("app-ro", master),
        dms=secrets.get("dms", master),
        secret_outputs=outputs,
    )
