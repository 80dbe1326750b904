"""Results of a run that are kept in the project: written once, read back by the pages, and checked for staleness."""
