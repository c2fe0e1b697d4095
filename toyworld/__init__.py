"""A small world with exact answers, and the tiny frozen backbones trained on it."""
