"""What README.md tells a database, as far as it can be run without one."""

import json
import re
import sqlite3
from pathlib import Path

from test_sql_task import run

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    re.sub(r"^ +", "", each, flags=re.MULTILINE)
    for each in re.findall(r"^ *```sql\n(.*?)^ *```$", README, re.DOTALL | re.MULTILINE)
]

COLUMNS = [
    ("shop", "orders", "note", "text", "NO"),
    ("shop", "orders", "maybe", "text", "YES"),
    ("shop", "orders", "id", "int", "NO"),
    ("billing", "bills", "body", "json", "NO"),
    ("other", "orders", "note", "text", "NO"),
]
TABLES = [
    ("shop", "orders", "BASE TABLE", True),
    ("shop", "log", "BASE TABLE", False),
    ("shop", "seen", "VIEW", False),
    ("other", "log", "BASE TABLE", False),
]


def test_the_query_lists_each_table_that_replication_cannot_carry() -> None:
    """SQLite reads it as it stands."""
    (query,) = [block for block in BLOCKS if "UNION ALL" in block]
    database = sqlite3.connect(":memory:")
    database.executescript("""
        ATTACH ':memory:' AS information_schema;
        CREATE TABLE information_schema.columns
          (table_schema, table_name, column_name, data_type, is_nullable, column_type);
        CREATE TABLE information_schema.tables (table_schema, table_name, table_type);
        CREATE TABLE information_schema.table_constraints (table_schema, table_name, constraint_type, constraint_name);
    """)
    database.executemany(
        "INSERT INTO information_schema.columns VALUES (?, ?, ?, ?, ?, ?)", [(*each, each[3]) for each in COLUMNS]
    )
    for schema, table, kind, has_key in TABLES:
        database.execute("INSERT INTO information_schema.tables VALUES (?, ?, ?)", (schema, table, kind))
        if has_key:
            key = (schema, table, "PRIMARY KEY", "PRIMARY")
            database.execute("INSERT INTO information_schema.table_constraints VALUES (?, ?, ?, ?)", key)
    found = {(row[0], row[1], row[2], row[4]) for row in database.execute(query)}
    database.close()
    assert found == {
        ("shop", "orders", "note", "NOT NULL large column"),
        ("billing", "bills", "body", "NOT NULL large column"),
        ("shop", "log", "", "no primary key"),
    }


def test_dms_gets_the_same_on_both_databases(tmp_path: Path) -> None:
    """By hand on the legacy one, by the SQL task on Aurora."""
    (by_hand,) = [block for block in BLOCKS if "CREATE USER 'dms'" in block]
    _, by_task, _ = run(tmp_path, DATABASES="shop")

    def grants(sql: str) -> set[str]:
        lines = [line for line in sql.splitlines() if line.startswith("GRANT") and "'dms'" in line]
        return {re.sub(r"[`\\]", "", line.split(";", 1)[0]) for line in lines}

    assert grants(by_hand) == grants(by_task)
    assert len(grants(by_hand)) == 5


def test_what_the_sql_task_is_told_reaches_the_database_as_it_stands(tmp_path: Path) -> None:
    told = [json.loads(each) for each in re.findall(r"--overrides '(.*?)'$", README, re.MULTILINE)]
    statements = [one["environment"][0]["value"] for each in told for one in each["containerOverrides"]]
    assert [one["name"] for each in told for one in each["containerOverrides"]] == ["sql"] * len(told)
    assert statements == ["SHOW GRANTS FOR dms;", "ALTER USER app@`%` ACCOUNT UNLOCK;"]
    for statement in statements:
        assert run(tmp_path, SQL=statement)[:2] == (0, f"{statement}\n")


def test_what_locks_and_unlocks_is_the_account_that_the_sql_task_makes(tmp_path: Path) -> None:
    _, made, _ = run(tmp_path)
    assert "CREATE USER IF NOT EXISTS 'app'@'%'" in made
    locks = re.findall(r"ALTER USER (\S+) ACCOUNT (?:UN)?LOCK", README)
    assert {each.replace("'", "").replace("`", "") for each in locks} == {"app@%"}
