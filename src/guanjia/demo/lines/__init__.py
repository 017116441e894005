"""Four of the demo's six lines, written with the SDK: each a process of its own over its own database."""
