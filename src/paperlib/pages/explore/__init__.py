"""The page `explore`: an interactive map of a run, with the kept run beside it."""
