"""What a planner's words become: a file for each tool, small networks and instruments."""
