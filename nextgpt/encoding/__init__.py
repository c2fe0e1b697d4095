"""The encoding tier: frozen encoders, and the projections that carry their tokens to the language model."""
