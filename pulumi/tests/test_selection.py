"""Table mappings: nothing of the server, of DMS or of what tapctl keeps for itself is ever replicated."""

import json

import pulumi
import pytest
from recorder import deploy, settings

from lib import task_settings
from lib.selection import CARRIED, OWNED, not_carried, owned

Rule = dict[str, object]


def rule(schema: str, table: str = "%", action: str = "include") -> Rule:
    locator = {"schema-name": schema, "table-name": table}
    return {"rule-type": "selection", "rule-id": "1", "rule-action": action, "object-locator": locator}


EXCLUDED = [rule(schema, action="exclude") for schema in OWNED]


@pytest.mark.parametrize("schema", OWNED)
@pytest.mark.parametrize("spelled", ["{0}", "{1}", "{0[0]}{0[1]}%", "[{0[0]}]%"])
def test_a_schema_that_is_no_applications_is_refused_however_it_is_written(schema: str, spelled: str) -> None:
    text = json.dumps({"rules": [rule("shop"), rule(spelled.format(schema, schema.upper()))]})
    with pytest.raises(pulumi.RunError, match=rf"tap:tableMappings is .*takes .*'{schema}['.]"):
        settings(tableMappings=text)


@pytest.mark.parametrize("schema", ["%", "_ysql", "sy[a-z]", "[a-z]ysql", "%[_]schema", "m%", "[z-a]"])
def test_a_wildcard_takes_them_as_well(schema: str) -> None:
    assert owned([rule(schema)])


@pytest.mark.parametrize("schema", ["shop", "mysql2", "my_shop", "mysq", "[_]ysql", "system", "shop.mysql", ""])
def test_an_applications_schema_is_nobody_elses(schema: str) -> None:
    assert owned([rule(schema)]) == []


def test_a_wildcard_may_be_used_when_each_of_them_is_left_out() -> None:
    whole = [rule("%"), *EXCLUDED]
    assert owned(whole) == []
    assert settings(tableMappings=json.dumps({"rules": whole})).dms.table_mappings
    for missing in EXCLUDED:
        assert owned([each for each in whole if each is not missing])
    # An exclusion of one table, or of a name in another case, leaves the others.
    assert owned([rule("mysql"), rule("mysql", "user", "exclude")]) == ["mysql"]
    assert owned([rule("mysql"), rule("MYSQL", "%", "exclude")]) == ["mysql"]


def test_the_heartbeat_and_the_markers_are_there_to_be_carried_over() -> None:
    assert owned([rule("tapctl", "heartbeat"), rule("tapctl", "marker", "explicit")]) == []
    assert owned([rule("tapctl")]) == ["tapctl.kept", "tapctl.turn"]
    assert owned([rule("tapctl"), rule("tapctl", "kept", "exclude")]) == ["tapctl.turn"]
    assert owned([rule("tapctl", "t%")]) == ["tapctl.turn"]


@pytest.mark.parametrize("table", ["kept", "turn", "secrets", "x%", "heartbeats", ""])
def test_of_tapctl_nothing_else_is_taken(table: str) -> None:
    assert owned([rule("tapctl", table)]) == [f"tapctl.{table}"]
    assert owned([rule("[t]apctl", table), rule("tapctl", "marker")]) == [f"tapctl.{table}"]
    assert owned([rule("tapctl", table), rule("tapctl", table, "exclude")]) == []
    with pytest.raises(pulumi.RunError, match="of 'tapctl' only heartbeat and marker are carried over"):
        settings(tableMappings=json.dumps({"rules": [rule("shop"), rule("tapctl", table)]}))


def test_the_mappings_that_the_program_writes_take_the_two_tables_of_tapctl_and_none_of_them() -> None:
    loaded = json.loads(task_settings.mappings_json(["shop", "my_shop", "a-b$"]))
    assert owned(loaded["rules"]) == []
    assert not_carried(loaded["rules"]) == []
    ids = [each["rule-id"] for each in loaded["rules"]]
    assert len(set(ids)) == len(ids) == 3 + len(CARRIED)


BOTH = [rule("tapctl", table) for table in CARRIED]


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ([rule("shop")], ["tapctl.heartbeat", "tapctl.marker"]),
        ([rule("tapctl", "marker")], ["tapctl.heartbeat"]),
        (BOTH, []),
        ([rule("tapctl", "%")], []),
        ([rule("%"), rule("tapctl", "kept", "exclude"), rule("tapctl", "turn", "exclude")], []),
        ([*BOTH, rule("tapctl", "m%", "exclude")], ["tapctl.marker"]),
        ([rule("%"), *EXCLUDED], ["tapctl.heartbeat", "tapctl.marker"]),
        # Whether DMS tells the cases apart depends on the server.
        ([rule("TAPCTL", "marker"), rule("tapctl", "heartbeat")], ["tapctl.marker"]),
        ([*BOTH, rule("Tapctl", "MARKER", "exclude")], ["tapctl.marker"]),
    ],
)
def test_mappings_that_leave_the_heartbeat_or_the_markers_out_are_told(rules: list[Rule], left: list[str]) -> None:
    assert not_carried(rules) == left
    if owned(rules):
        return
    said = deploy(tableMappings=json.dumps({"rules": [rule("shop"), *rules]})).said
    (warned,) = [line for line in said if "tableMappings leaves out" in line] or [""]
    assert [table for table in ("tapctl.heartbeat", "tapctl.marker") if table in warned] == left


def test_the_usual_mappings_leave_nothing_out() -> None:
    assert not [line for line in deploy().said if "tableMappings" in line]


@pytest.mark.parametrize(
    "strange", [None, 1, "rule", {}, {"rule-type": "selection"}, rule("shop") | {"object-locator": 1}]
)
def test_what_is_no_rule_takes_nothing(strange: object) -> None:
    assert owned([strange]) == []
