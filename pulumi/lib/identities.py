"""Who logs in to which database: accounts that a cutover could not lock out are refused.  Pure.

What is locked and what is open stands in the databases alone.  Aurora answers inside the VPC only, and no call to AWS
tells an account of MySQL: the Data API would, but has to be switched on for the cluster, and then runs SQL for whoever
IAM lets.  So nothing here looks at a lock; pulumi/README.md has the statement that does.

A cutover locks the accounts that write and ends their sessions, on the side that stops being the writer.  An account
that DMS uses as well cannot be locked: the stream would end with it.  Nor can Aurora's master user, which has to open
what the cutover opens.
"""

from lib import keys
from lib.accounts import USERNAMES
from lib.database import USERNAME as MASTER
from lib.existing import Existing
from lib.inquiry import Login
from lib.keys import Refusal
from lib.settings import Settings, quoted


def not_locked_out(settings: Settings, existing: Existing) -> list[Refusal]:
    """Another writer while tasks run whose account cannot be locked on the side of before.

    Tasks are replaced one after the other, for minutes: meanwhile those of before would write to one database and those
    of now to the other.
    """
    told = existing.tasks(settings.naming.name("app"))
    host, secret = told.environment.get("DB_WRITER_HOST"), told.secrets.get("DB_WRITER_USERNAME", "")
    aurora = existing.text("rds/cluster:Cluster", settings.naming.name("aurora"), "endpoint")
    if host is None or aurora is None or settings.container.image_tag is None:
        return []
    before = "aurora" if host == aurora else "legacy"
    now = "aurora" if settings.writer_is_aurora else "legacy"
    if before == now:
        return []
    arn = secret.split(":username:", 1)[0]
    master = existing.text("secretsmanager/secret:Secret", settings.naming.name("db-secret"), "arn")
    stack, back = settings.environment_suffix, f"pulumi config set writer {before}, then: "
    stop = f"; or stop the tasks first: pulumi config rm imageTag, then tapctl up --stack {stack}"
    if before == "legacy" and arn == settings.source.secret_arn:
        sentence = (
            "is 'aurora', but the tasks that run log in to the legacy database as DMS does, by sourceDbSecretArn: they "
            "cannot be locked out without ending the way back, and until the last of them has been replaced both "
            "databases are written to. Wanted: tasks with an account of their own"
        )
        command = f"{back}tapctl config set legacyAppSecretArn ARN --stack {stack}, tapctl up --stack {stack}{stop}"
        return [Refusal(keys.WRITER, sentence, command)]
    if before == "aurora" and arn == master:
        sentence = (
            "is 'legacy', but the tasks that run log in to Aurora as its master user: it cannot be locked out, and "
            "until the last of them has been replaced both databases are written to. Wanted: tasks with an account of "
            "their own"
        )
        command = f"{back}tapctl config set databaseAccounts separate --stack {stack}, tapctl up --stack {stack}{stop}"
        return [Refusal(keys.WRITER, sentence, command)]
    return []


def not_the_same_name(legacy_dms: Login | None, app: Login | None) -> list[Refusal]:
    """An application's account that is somebody else's as well, on either database."""
    if app is None:
        return []
    key, command = keys.LEGACY_APP_SECRET_ARN, "aws secretsmanager create-secret   (by hand, for an account of its own)"
    if app.username is None:
        sentence = "leads to a secret without a username, so no task could start. Wanted: `username` and `password`"
        return [Refusal(key, sentence, "aws secretsmanager put-secret-value   (by hand)")]
    owners = {MASTER: "Aurora's master user"} | {
        name: f"an account of this stack in Aurora ({kind})" for kind, name in USERNAMES.items() if kind != "app"
    }
    if legacy_dms is not None and legacy_dms.username is not None:
        owners[legacy_dms.username] = "the account by which DMS logs in to the legacy database (sourceDbSecretArn)"
    owner = owners.get(app.username)
    if owner is None:
        return []
    sentence = (
        f"leads to the account {quoted(app.username)}, which is {owner}: a cutover that locks the application out "
        "would lock it out as well, and the SQL task would give it another password. Wanted: an account of the "
        "application's own"
    )
    return [Refusal(key, sentence, command)]
