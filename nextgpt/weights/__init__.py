"""What is published, what is on disk, and what is missing."""
