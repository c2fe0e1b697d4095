"""A page to talk to a system, or to two at once whose answers are voted on blind: ``nextgpt serve``."""
