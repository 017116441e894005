"""Mail that came in, for the lead: what waits for a person, and what became of the rest."""
