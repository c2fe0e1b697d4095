"""Clips of this world: what moves, appears and vanishes, drawn, told, asked about, changed and read back."""
