"""Data sets whose answers are several media at once."""
