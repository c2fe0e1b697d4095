"""Captions against references: BLEU, METEOR, ROUGE-L, CIDEr-D, SPICE, SPIDEr."""
