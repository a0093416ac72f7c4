"""A one-off ECS task that runs SQL on Aurora from inside the VPC, and goes with `destroy`.

Aurora is reachable from the private subnets only.  Without `SQL` in its environment the task makes the accounts of
the secrets and sets how long the binary log is kept; both can be repeated.  With `SQL` it runs that.  Neither lasts for
more than five minutes, or `LIMIT_SECONDS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from lib import policies, secret_access
from lib.accounts import USERNAMES, Credentials
from lib.naming import Naming

CONTAINER_NAME = "sql"

# `quoted` keeps a password from ending its quotes.  The account of the application may be the legacy one, with a
# password of its own alphabet; those of the other accounts are made from a harmless one.
#
# The tasks have both databases' hosts and write where their account is let in, so it is made locked unless Aurora is
# the writer.  CREATE USER IF NOT EXISTS and ALTER USER without a lock option leave an account that exists as it is
# (MySQL, "Account Locking"): a repeated run undoes no cutover.
#
# All is put together before anything runs, and by assignments, which `set -e` sees: the failure of a command on the
# left of a pipe or within an argument would be lost.  GRANT takes `_` and `%` in the name of a database as wildcards.
#
# DMS carries two tables of tapctl over and has no business in its others.  They may not be there yet: a grant on a
# table that is not has to include CREATE (MySQL, "GRANT Statement").
#
# ECS deletes no cluster with a task in it, nor EC2 the task's group and subnet, so nothing here may last: the provider
# asks for ten minutes and then fails the `destroy` (terraform-provider-aws, internal/service/ecs/cluster.go,
# `resourceClusterDelete`).  A statement that waits for a table's lock gives up after a minute, where MySQL would wait
# for a year (MySQL, "Server System Variables", `lock_wait_timeout`); a SELECT is ended by the server
# (`max_execution_time`, which covers no other statement), and after that time the client by `timeout`.  What the server
# has begun it may finish all the same, so the log says how to end it there.
SCRIPT = r"""set -eu
quoted() { printf '%s' "$1" | sed "s/[\\\\']/\\\\&/g"; }
account() {
  user=$(quoted "$1")
  password=$(quoted "$2")
  printf "CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s'%s;\n" "$user" "$password" "${3:-}"
  printf "ALTER USER '%s'@'%%' IDENTIFIED BY '%s';\n" "$user" "$password"
}
grant() {
  user=$(quoted "$3")
  printf "GRANT %s ON %s TO '%s'@'%%';\n" "$1" "$2" "$user"
}
tables() {
  name=$(printf '%s' "$1" | sed 's/[_%]/\\&/g')
  printf '`%s`.*' "$name"
}
prepare() {
  : "${DATABASES:?}" "${BINLOG_RETENTION_HOURS:?}" "${WRITER:?}"
  : "${DMS_USERNAME:?}" "${DMS_PASSWORD:?}" "${APP_USERNAME:?}" "${APP_PASSWORD:?}"
  : "${APP_RO_USERNAME:?}" "${APP_RO_PASSWORD:?}"
  case "$WRITER" in aurora) lock= ;; *) lock=' ACCOUNT LOCK' ;; esac
  printf "CALL mysql.rds_set_configuration('binlog retention hours', %s);\n" "$BINLOG_RETENTION_HOURS"
  account "$DMS_USERNAME" "$DMS_PASSWORD"
  account "$APP_USERNAME" "$APP_PASSWORD" "$lock"
  account "$APP_RO_USERNAME" "$APP_RO_PASSWORD"
  grant 'REPLICATION CLIENT, REPLICATION SLAVE' '*.*' "$DMS_USERNAME"
  on=$(tables awsdms_control)
  grant ALL "$on" "$DMS_USERNAME"
  for table in heartbeat marker; do
    grant 'SELECT, INSERT, UPDATE, DELETE, CREATE' "tapctl.$table" "$DMS_USERNAME"
  done
  for database in $DATABASES; do
    on=$(tables "$database")
    grant 'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX' "$on" "$DMS_USERNAME"
    grant 'SELECT, INSERT, UPDATE, DELETE, EXECUTE' "$on" "$APP_USERNAME"
    grant SELECT "$on" "$APP_RO_USERNAME"
  done
  printf "CALL mysql.rds_show_configuration;\n"
}
: "${HOST:?}" "${USERNAME:?}" "${PASSWORD:?}"
# bash drops `-e` within `$(...)` unless it is called `sh`.
if [ -z "${SQL:-}" ]; then SQL=$(set -e; prepare); fi
limit=${LIMIT_SECONDS:-300}
ended=0
MYSQL_PWD="$PASSWORD" timeout -k 10 "$limit" mysql --host="$HOST" --port=3306 --user="$USERNAME" --ssl-mode=REQUIRED \
  --table --connect-timeout=10 \
  --init-command="SET SESSION lock_wait_timeout = 60, max_execution_time = ${limit}000" <<END || ended=$?
$SQL
END
case "$ended" in 124 | 137)
  echo "given up after $limit seconds, and not all of it was run: a task that lasts would hold up destroy." \
    "What Aurora has begun may go on there and hold locks: SHOW FULL PROCESSLIST, then CALL mysql.rds_kill(ID)." \
    "Wanted: less at a time, or LIMIT_SECONDS in the task's environment (up to 540)." >&2 ;;
esac
exit "$ended"
"""


@dataclass(frozen=True, kw_only=True)
class SqlTaskArgs:
    """What the task is made from."""

    naming: Naming
    region: str
    account_id: str
    image: str
    host: pulumi.Output[str]
    master: Credentials
    accounts: dict[str, Credentials]
    """By kind; all that the script makes must be there."""
    kms_key_arn: str | None
    databases: Sequence[str]
    binlog_retention_hours: int
    writer_is_aurora: bool
    log_retention_days: int


class SqlTask(pulumi.ComponentResource):
    """A task definition, with its own role and log group."""

    task_definition_arn: pulumi.Output[str]
    log_group_name: str

    def __init__(self, name: str, args: SqlTaskArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates the task definition; nothing runs until somebody runs it."""
        super().__init__("tap:database:SqlTask", name, {}, opts)
        self._args = args
        self._naming = args.naming
        self._child = pulumi.ResourceOptions(parent=self)
        self.log_group_name = self._naming.name("sql-logs")
        logs = aws.cloudwatch.LogGroup(
            self.log_group_name,
            name=self.log_group_name,
            retention_in_days=args.log_retention_days,
            tags=self._naming.tags(self.log_group_name),
            opts=self._child,
        )
        role, needed = self._execution_role(logs.arn)
        task_name = self._naming.name("sql")
        task = aws.ecs.TaskDefinition(
            task_name,
            family=task_name,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu="256",
            memory="512",
            execution_role_arn=role.arn,
            container_definitions=pulumi.Output.json_dumps([self._container(logs.name)], sort_keys=True),
            tags=self._naming.tags(task_name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=needed),
        )
        self.task_definition_arn = task.arn
        self.register_outputs({"taskDefinitionArn": self.task_definition_arn})

    def _container(self, log_group: pulumi.Output[str]) -> dict[str, object]:
        args = self._args
        read = {"": args.master}
        read |= {f"{kind.replace('-', '_').upper()}_": args.accounts[kind] for kind in _used(args.accounts)}
        return {
            "name": CONTAINER_NAME,
            "image": args.image,
            "essential": True,
            "entryPoint": ["sh", "-c"],
            "command": [SCRIPT],
            "environment": [
                {"name": "HOST", "value": args.host},
                {"name": "DATABASES", "value": " ".join(args.databases)},
                {"name": "BINLOG_RETENTION_HOURS", "value": str(args.binlog_retention_hours)},
                {"name": "WRITER", "value": "aurora" if args.writer_is_aurora else "legacy"},
            ],
            "secrets": [
                {
                    "name": f"{prefix}{key.upper()}",
                    "valueFrom": pulumi.Output.concat(credentials.arn, f":{key}::"),
                }
                for prefix, credentials in read.items()
                for key in ("username", "password")
            ],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": log_group,
                    "awslogs-region": args.region,
                    "awslogs-stream-prefix": CONTAINER_NAME,
                },
            },
        }

    def _execution_role(self, log_group_arn: pulumi.Output[str]) -> tuple[aws.iam.Role, list[aws.iam.RolePolicy]]:
        args = self._args
        name = self._naming.name("sql-execution-role")
        role = aws.iam.Role(
            name,
            name=name,
            description="Starts SQL tasks: reads the secrets of Aurora's accounts, writes the log",
            assume_role_policy=policies.trust("ecs-tasks.amazonaws.com", args.account_id),
            force_detach_policies=True,
            tags=self._naming.tags(name),
            opts=self._child,
        )
        reads = secret_access.allow(
            name,
            role,
            [args.master, *(args.accounts[kind] for kind in _used(args.accounts))],
            args.kms_key_arn,
            describe=False,
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            name=f"{name}-policy",
            role=role.id,
            policy=policies.document(
                [
                    *policies.write_logs(log_group_arn),
                    *policies.pull_private_image(args.image),
                ]
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[reads]),
        )
        return role, [policy, reads]


def _used(accounts: dict[str, Credentials]) -> list[str]:
    """The accounts that the script makes; tapctl makes its own, with the grants that it needs."""
    return [kind for kind in USERNAMES if kind in accounts and kind != "tapctl"]
