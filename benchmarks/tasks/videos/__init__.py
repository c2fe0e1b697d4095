"""Data sets of videos in their official formats."""
