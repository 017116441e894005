"""Whose replies are read before merchants see them: a page of the lead."""
