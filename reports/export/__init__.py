"""Runs in the forms that the field's registries read."""
