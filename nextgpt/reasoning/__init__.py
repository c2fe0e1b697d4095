"""The reasoning tier: how a conversation is written down, and the language model that reads it."""
