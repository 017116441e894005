"""What the worker does for cases."""
