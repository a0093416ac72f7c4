"""Each configuration of the program before AWS's own descriptions and a stand-in that nobody of the project wrote."""

from collections.abc import Callable

import pytest

import life
import models
import templates
from configurations import Configuration
from conftest import Opened, Recorded, every_configuration

Count = Callable[[str, object], None]


@pytest.mark.parametrize("configuration", every_configuration())
def test_every_call_of_the_provider_fits_botocores_model(
    configuration: Configuration, recorded: Recorded, record_property: Count
) -> None:
    calls = [call for each in recorded(configuration).translated() for call in each.calls]
    found = [problem for call in calls for problem in models.problems(call)]
    assert not found, "\n".join(found)
    record_property("calls held against botocore's models", len(calls))


@pytest.mark.parametrize("configuration", every_configuration())
def test_every_resource_fits_cloudformations_schema(
    configuration: Configuration, recorded: Recorded, record_property: Count
) -> None:
    stack = recorded(configuration).translated()
    found = templates.problems(stack, "us-west-2")
    assert not found, "\n".join(found)
    record_property("resources held against cfn-lint's schemas", len(templates.described(stack)))


@pytest.mark.parametrize("configuration", every_configuration())
def test_the_stack_is_created_destroyed_and_created_again(
    configuration: Configuration, recorded: Recorded, opened: Opened, record_property: Count
) -> None:
    lived = life.twice(opened(configuration), recorded(configuration).translated(), configuration.regions)
    assert not lived.problems, "\n".join(lived.problems)
    record_property("calls sent to moto", lived.sent)
    record_property("calls not sent to moto", lived.not_sent)
