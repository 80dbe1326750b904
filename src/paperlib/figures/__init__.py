"""Charts, maps, diagrams and styled tables. Each function takes data and returns a figure or a table."""
