"""Who logs in to which database: accounts that a cutover could not lock out are refused.  Pure.

What is locked and what is open stands in the databases alone.  Aurora answers inside the VPC only, and no call to AWS
tells an account of MySQL: the Data API would, but has to be switched on for the cluster, and then runs SQL for whoever
IAM lets.  So nothing here looks at a lock; pulumi/README.md has the statement that does.

A cutover locks the accounts that write and ends their sessions, on the side that stops being the writer.  An account
that DMS uses as well cannot be locked: the stream would end with it.  Nor can Aurora's master user, which has to open
what the cutover opens.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lib import keys
from lib.accounts import USERNAMES
from lib.database import USERNAME as MASTER
from lib.existing import Existing, Tasks
from lib.inquiry import Login
from lib.keys import Key, Refusal
from lib.settings import Settings, quoted


def not_locked_out(settings: Settings, existing: Existing, running: Iterable[Tasks]) -> list[Refusal]:
    """Another writer while tasks run that would go on writing to the one of before.

    Tasks are replaced one after the other, for minutes: meanwhile those of before would write to one database and those
    of now to the other, unless their account has been locked on the side of before.  Only the application's own can be.
    """
    aurora = existing.text("rds/cluster:Cluster", settings.naming.name("aurora"), "endpoint")
    if aurora is None or settings.container.image_tag is None:
        return []
    newest = existing.tasks(settings.naming.name("app"))
    now = "aurora" if settings.writer_is_aurora else "legacy"
    for told in running:
        before = _writer(told, aurora)
        if before in {None, now}:
            continue
        if told.arn != newest.arn and _writer(newest, aurora) != now:
            return [_not_finished(settings, told, before)]
        if told.writer_secret not in _lockable(settings, existing, before):
            return [_not_lockable(settings, existing, told, before)]
    return []


def unknown_to_aurora(settings: Settings, existing: Existing, running: Iterable[Tasks]) -> list[Refusal]:
    """Another account for tasks that write to Aurora, which knows it from the SQL task alone: nobody could write."""
    naming, given = settings.naming, settings.accounts.legacy_app_secret_arn
    aurora = existing.text("rds/cluster:Cluster", naming.name("aurora"), "endpoint")
    made = existing.text("secretsmanager/secret:Secret", naming.name("app-secret"), "arn")
    master = existing.text("secretsmanager/secret:Secret", naming.name("db-secret"), "arn")
    if aurora is None or (given is None and not settings.accounts.separate):
        return []
    for told in running:
        before = told.writer_secret
        if _writer(told, aurora) != "aurora" or before == (given or made):
            continue
        if before == master and given is None and made is not None:
            # From 'shared' to 'separate': the secret has stood all the while, and the SQL task has read it.
            continue
        stack = settings.environment_suffix
        found = "is not set" if given is None else f"is {given!r}"
        sentence = (
            f"{found}, but the tasks that run write to Aurora by {before}: only the SQL task tells Aurora another "
            "account or password, and until then nobody could write. Wanted: the account of before while Aurora is the "
            "writer; another one once `writer` is 'legacy', then `up` and the SQL task, and Aurora only after that"
        )
        back = "rm legacyAppSecretArn" if before in {made, master} else f"set legacyAppSecretArn {quoted(before)}"
        return [Refusal(keys.LEGACY_APP_SECRET_ARN, sentence, f"pulumi config {back}, then: tapctl up --stack {stack}")]
    return []


def _writer(told: Tasks, aurora: str) -> str | None:
    """The database that tasks write to, as the key `writer` calls it."""
    if told.writer_host is None:
        return None
    return "aurora" if told.writer_host == aurora else "legacy"


def _lockable(settings: Settings, existing: Existing, before: str | None) -> set[str | None]:
    """The secrets of accounts that are the application's alone, on the side of before.

    What is configured now tells nothing of any other: the secret of DMS may have been exchanged in the same run.
    """
    given = settings.accounts.legacy_app_secret_arn
    made = existing.text("secretsmanager/secret:Secret", settings.naming.name("app-secret"), "arn")
    return ({given, made} if before == "aurora" else {given}) - {None}


def _not_finished(settings: Settings, told: Tasks, before: str | None) -> Refusal:
    stack = settings.environment_suffix
    sentence = (
        f"is {'aurora' if settings.writer_is_aurora else 'legacy'!r}, but the last rollout did not finish: the service "
        f"still runs {told.arn}, which writes to {before!r} and is not what was to run. Wanted: one rollout after the "
        "other, this one with the writer as it was"
    )
    return Refusal(keys.WRITER, sentence, f"pulumi config set writer {before}, then: tapctl up --stack {stack}")


def _not_lockable(settings: Settings, existing: Existing, told: Tasks, before: str | None) -> Refusal:
    stack, back = settings.environment_suffix, f"pulumi config set writer {before}, then: "
    stop = (
        f"; or stop the tasks first: tapctl rollback --stack {stack}, pulumi config rm imageTag, tapctl up --stack "
        f"{stack}"
    )
    master = existing.text("secretsmanager/secret:Secret", settings.naming.name("db-secret"), "arn")
    if before == "aurora" and told.writer_secret == master:
        found = "log in to Aurora as its master user: it cannot be locked out, and"
    elif before == "aurora":
        found = f"log in to Aurora by {told.writer_secret}, which is not the application's secret of now:"
    elif told.writer_secret == settings.source.secret_arn:
        found = (
            "log in to the legacy database as DMS does, by sourceDbSecretArn: they cannot be locked out without "
            "ending the way back, and"
        )
    else:
        found = f"log in to the legacy database by {told.writer_secret}, which is not legacyAppSecretArn:"
    sentence = (
        f"is {'aurora' if settings.writer_is_aurora else 'legacy'!r}, but the tasks that run {found} until the last of "
        "them has been replaced both databases are written to. Wanted: tasks with an account of their own"
    )
    key = "databaseAccounts separate" if before == "aurora" else "legacyAppSecretArn ARN"
    command = f"{back}tapctl config set {key} --stack {stack}, tapctl up --stack {stack}{stop}"
    return Refusal(keys.WRITER, sentence, command)


@dataclass(frozen=True, kw_only=True)
class Logins:
    """Who logs in to the legacy database, as the secrets say it; `None` for a secret that was not read."""

    dms: Login | None
    app: Login | None
    tapctl: Login | None


_PUT = "aws secretsmanager put-secret-value   (by hand)"


def usable(logins: Logins) -> list[Refusal]:
    """A secret by which nobody could log in."""
    moved: list[Refusal] = []
    readers: tuple[tuple[Key[object], Login | None, str], ...] = (
        (keys.SOURCE_DB_SECRET_ARN, logins.dms, "DMS could not log in"),
        (keys.LEGACY_APP_SECRET_ARN, logins.app, "no task could start"),
        (keys.LEGACY_TAPCTL_SECRET_ARN, logins.tapctl, "tapctl could not log in"),
    )
    for key, login, so in readers:
        if login is None:
            continue
        missing = [
            name for name, value in (("username", login.username), ("password", login.password)) if value is None
        ]
        if missing:
            sentence = (
                f"leads to a secret without a {' and a '.join(missing)}, so {so}. Wanted: `username` and `password`"
            )
            moved.append(Refusal(key, sentence, _PUT))
    if logins.dms is not None and logins.dms.password is False:
        sentence = (
            "leads to a secret whose password holds one of { } ; which DMS does not support for MySQL "
            "(https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Endpoints.Creating.html). Wanted: a password of "
            "other characters, in the database and in the secret"
        )
        moved.append(Refusal(keys.SOURCE_DB_SECRET_ARN, sentence, _PUT))
    return moved


def not_the_same_name(logins: Logins) -> list[Refusal]:
    """An account of one identity that is another's as well, on either database."""
    app, dms, tapctl = (each and each.username for each in (logins.app, logins.dms, logins.tapctl))
    moved: list[Refusal] = []
    by_dms = "the account by which DMS logs in to the legacy database (sourceDbSecretArn)"
    owners = {MASTER: "Aurora's master user"} | {
        name: f"an account of this stack in Aurora ({kind})" for kind, name in USERNAMES.items() if kind != "app"
    }
    if dms is not None:
        owners[dms] = by_dms
    command = "aws secretsmanager create-secret   (by hand, for an account of its own)"
    if app is not None and app in owners:
        sentence = (
            f"leads to the account {quoted(app)}, which is {owners[app]}: a cutover that locks the application out "
            "would lock it out as well, and the SQL task would give it another password. Wanted: an account of the "
            "application's own"
        )
        moved.append(Refusal(keys.LEGACY_APP_SECRET_ARN, sentence, command))
    others = {app: "the application's account (legacyAppSecretArn)", dms: by_dms}
    if tapctl is not None and tapctl in others:
        sentence = (
            f"leads to the account {quoted(tapctl)}, which is {others[tapctl]}: whoever a cutover locks out would take "
            "the other along. Wanted: an account of tapctl's own"
        )
        moved.append(Refusal(keys.LEGACY_TAPCTL_SECRET_ARN, sentence, command))
    return moved
