"""Rules of work that a lead edits: triggers and schedules."""
