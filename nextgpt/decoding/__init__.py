"""The decoding tier: from signal tokens to the conditions of frozen diffusion models, and to media."""
