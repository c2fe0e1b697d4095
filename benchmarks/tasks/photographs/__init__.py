"""Real photographs, clips and sounds, a few dozen of each, for small models whose weights packages carry."""
