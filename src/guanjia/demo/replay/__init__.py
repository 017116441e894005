"""Other people's service desk, played again on this house: 20,769 real incidents, event by event."""
