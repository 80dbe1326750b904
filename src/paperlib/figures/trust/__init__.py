"""Figures of what may be believed: accuracy through the season, what validations say."""
