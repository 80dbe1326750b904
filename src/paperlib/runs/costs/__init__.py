"""What a run will cost on this machine: measured in a few seconds, before hours of work."""
