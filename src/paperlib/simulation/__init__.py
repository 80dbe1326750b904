"""A simulated scene with known truth, written as product files."""
