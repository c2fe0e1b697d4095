"""Data sets as they lie in a folder: what is there of one, and what of it a system was trained on."""
