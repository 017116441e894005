"""Finding cases, merchants and services by words."""
