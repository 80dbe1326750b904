"""Charts, maps and diagrams, data in and a figure out. Nothing here knows the paper."""
