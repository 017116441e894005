"""When the house works, and what it promises: a lead's forms."""
