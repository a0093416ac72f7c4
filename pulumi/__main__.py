"""Entry point of the Pulumi program: settings, the stack, its outputs; no resources of its own."""

import pulumi

from lib.settings import Settings
from lib.tap_stack import TapStack, TapStackArgs

settings = Settings.load(pulumi.Config(), stack_name=pulumi.get_stack())
stack = TapStack(f"migration-stack-{settings.environment_suffix}", TapStackArgs(settings=settings))

for key, value in stack.outputs.items():
    pulumi.export(key, value)
