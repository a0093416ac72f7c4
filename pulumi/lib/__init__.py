"""The components of the migration's target stack.

Each file holds one component and says what it may use.  Only `settings` reads configuration, only `preflight` asks
AWS questions, and only `tap_stack` knows more than one component.
"""
