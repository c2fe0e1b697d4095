"""Judges on trial: statements whose truth is known, and answers and captions that a language model judges."""
