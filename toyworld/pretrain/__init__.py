"""How the tiny frozen backbones of this world are made: one file per part."""
