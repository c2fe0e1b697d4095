"""What people said: agreement, win rates, strengths."""
