"""The page of regions."""
