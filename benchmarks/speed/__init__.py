"""What things cost: programs that anyone can run again, no tests."""
