"""Sounds of this world: what sounds, played, told, asked about, changed and read back."""
