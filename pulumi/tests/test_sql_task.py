"""The script of the SQL task, run by a real shell with something that takes the place of `mysql`."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from recorder import Recording, deploy

import driver
from lib import selection
from lib.sql_task import SCRIPT

ENVIRONMENT = {
    "HOST": "aurora.example.com",
    "USERNAME": "migration",
    "PASSWORD": "master",
    "DATABASES": "shop billing",
    "BINLOG_RETENTION_HOURS": "72",
    "WRITER": "legacy",
    "DMS_USERNAME": "dms",
    "DMS_PASSWORD": "d",
    "APP_USERNAME": "app",
    "APP_PASSWORD": "it's a \\ 'trap'; DROP DATABASE shop; --",
    "APP_RO_USERNAME": "app_ro",
    "APP_RO_PASSWORD": "r",
}


def run(tmp_path: Path, exit_code: int = 0, shell: str = "sh", /, **changes: str | None) -> tuple[int, str, str]:
    """The script's exit code, what it sent to `mysql`, and how `mysql` was called; empty texts when it was not."""
    fake = tmp_path / "mysql"
    fake.write_text(f'#!/bin/sh\necho "$MYSQL_PWD $*" > {tmp_path}/called\ncat > {tmp_path}/sql\nexit {exit_code}\n')
    fake.chmod(0o700)
    told = {key: value for key, value in (ENVIRONMENT | changes).items() if value is not None}
    path = f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin"
    done = subprocess.run([shell, "-c", SCRIPT], env=told | {"PATH": path}, check=False, timeout=30)
    sql, called = (each.read_text() if each.exists() else "" for each in (tmp_path / "sql", tmp_path / "called"))
    return done.returncode, sql, called


def test_it_keeps_the_binary_log_and_makes_the_accounts(tmp_path: Path) -> None:
    code, sql, called = run(tmp_path)
    assert code == 0
    lines = sql.splitlines()
    assert lines[0] == "CALL mysql.rds_set_configuration('binlog retention hours', 72);"
    assert lines[-1] == "CALL mysql.rds_show_configuration;"
    assert "CREATE USER IF NOT EXISTS 'dms'@'%' IDENTIFIED BY 'd';" in lines
    assert "GRANT REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO 'dms'@'%';" in lines
    assert "GRANT SELECT ON `billing`.* TO 'app_ro'@'%';" in lines
    assert not [line for line in lines if "app_ro" in line and "INSERT" in line]
    assert called.split()[0] == "master"
    assert "--host=aurora.example.com" in called
    assert "--ssl-mode=REQUIRED" in called
    assert "--connect-timeout=10" in called
    assert "--init-command=SET SESSION lock_wait_timeout = 60, max_execution_time = 300000" in called
    # On the command line it would be in the list of processes.
    assert "--password" not in called


def test_a_password_cannot_end_its_quotes(tmp_path: Path) -> None:
    _, sql, _ = run(tmp_path)
    wanted = r"IDENTIFIED BY 'it\'s a \\ \'trap\'; DROP DATABASE shop; --'"
    assert sql.count(wanted) == 2


def test_it_runs_the_sql_that_it_is_given_and_fails_when_that_fails(tmp_path: Path) -> None:
    assert run(tmp_path, SQL="SELECT 'a%s\\n' FROM t;")[:2] == (0, "SELECT 'a%s\\n' FROM t;\n")
    assert run(tmp_path, 3, SQL="SELECT;")[0] == 3


@pytest.mark.parametrize(("writer", "lock"), [("legacy", " ACCOUNT LOCK"), ("aurora", "")])
def test_the_account_that_writes_is_let_in_where_the_writer_is_and_only_there(
    writer: str, lock: str, tmp_path: Path
) -> None:
    """The tasks have both hosts and write wherever their account is let in."""
    _, sql, _ = run(tmp_path, WRITER=writer)
    (made,) = [line for line in sql.splitlines() if line.startswith("CREATE USER IF NOT EXISTS 'app'@'%' ")]
    assert made.endswith(f"--'{lock};")
    assert "CREATE USER IF NOT EXISTS 'app_ro'@'%' IDENTIFIED BY 'r';" in sql.splitlines()
    # An account that is there already stays locked or open, as the last cutover has left it.
    assert "LOCK" not in "".join(line for line in sql.splitlines() if not line.startswith("CREATE USER IF NOT EXISTS"))
    told = deploy(driver.with_weights(driver.empty_cloud(), 0, 100), writer=writer).named("migration-sql-prod")
    (container,) = json.loads(told.inputs["containerDefinitions"])
    assert {"name": "WRITER", "value": writer} in container["environment"]


def test_an_underscore_in_the_name_of_a_database_grants_nothing_on_another(tmp_path: Path) -> None:
    """GRANT takes `_` and `%` as wildcards in the name of a database."""
    _, sql, _ = run(tmp_path, DATABASES="my_shop 50%")
    assert r"GRANT SELECT ON `my\_shop`.* TO 'app_ro'@'%';" in sql.splitlines()
    assert r"GRANT SELECT ON `50\%`.* TO 'app_ro'@'%';" in sql.splitlines()
    assert r"GRANT ALL ON `awsdms\_control`.* TO 'dms'@'%';" in sql.splitlines()


def test_dms_may_carry_two_tables_of_tapctl_and_see_no_other(tmp_path: Path) -> None:
    """MySQL takes a grant on a table that is not there when CREATE is among what is granted."""
    _, sql, _ = run(tmp_path)
    granted = [line for line in sql.splitlines() if "tapctl" in line]
    rights = "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE"
    assert granted == [f"{rights} ON {selection.TAPCTL}.{table} TO 'dms'@'%';" for table in selection.CARRIED]


@pytest.mark.parametrize("name", sorted(set(ENVIRONMENT) - {"SQL"}))
@pytest.mark.parametrize("value", [None, ""], ids=["unset", "empty"])
def test_what_it_is_not_told_fails_it_before_anything_runs(name: str, value: str | None, tmp_path: Path) -> None:
    code, sql, called = run(tmp_path, 0, "sh", **{name: value})
    assert code != 0
    assert (sql, called) == ("", "")


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("asked", ["60", None], ids=["as-asked", "by-default"])
@pytest.mark.parametrize("ended", [124, 137], ids=["terminated", "killed"])
def test_a_statement_that_lasts_is_given_up_and_the_log_says_so(
    shell: str, asked: str | None, ended: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A cluster with a task in it cannot be deleted, nor the group and the subnet that the task is in.

    Every other test runs the real `timeout` with the same arguments; this one does not wait for it.
    """
    limit = asked or "300"
    (tmp_path / "timeout").write_text(
        f'#!/bin/sh\n[ "$1 $2 $3" = "-k 10 {limit}" ] || exit 125\nshift 3\n"$@"\nexit {ended}\n'
    )
    (tmp_path / "timeout").chmod(0o700)
    code, sql, called = run(tmp_path, 0, shell, SQL="ALTER TABLE shop.orders FORCE;", LIMIT_SECONDS=asked)
    assert (code, sql) == (ended, "ALTER TABLE shop.orders FORCE;\n")
    assert f"max_execution_time = {limit}000" in called
    said = capfd.readouterr().err
    assert f"given up after {limit} seconds, and not all of it was run" in said
    assert "CALL mysql.rds_kill(ID)" in said


def test_what_fails_by_itself_is_not_said_to_have_lasted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, 1, SQL="SELECT;")[0] == 1
    assert "given up" not in capfd.readouterr().err


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("tool", ["sed", "timeout"])
def test_a_tool_that_the_image_lacks_fails_it_before_anything_runs(shell: str, tool: str, tmp_path: Path) -> None:
    """Half of the statements would be an account without its password or its grants."""
    (tmp_path / tool).write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / tool).chmod(0o700)
    code, sql, called = run(tmp_path, 0, shell)
    assert code != 0
    assert (sql, called) == ("", "")


@pytest.mark.parametrize("accounts", ["separate", "shared"])
def test_the_task_is_told_what_its_script_reads(accounts: str) -> None:
    made: Recording = deploy(databaseAccounts=accounts)
    (container,) = json.loads(made.named("migration-sql-prod").inputs["containerDefinitions"])
    told = {each["name"] for each in container["environment"]} | {each["name"] for each in container["secrets"]}
    assert told == set(ENVIRONMENT)
    assert container["entryPoint"] == ["sh", "-c"]
    assert container["command"] == [SCRIPT]
