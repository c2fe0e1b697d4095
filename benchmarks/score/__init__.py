"""Scoring what other programs made: files of answers, media, features, judgements of people."""
