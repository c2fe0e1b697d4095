"""What harnesses cost beside each other: the same null system, the same questions, one process tree."""
