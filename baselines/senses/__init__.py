"""What is seen and heard, put into words: a file for each small network, and one that joins their words."""
