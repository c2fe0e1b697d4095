"""Data sets of what is to be made, in their official formats."""
