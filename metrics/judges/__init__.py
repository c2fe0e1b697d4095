"""Models that judge: yes or no about a medium, verdicts on answers; and how far they are right."""
