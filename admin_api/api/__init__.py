"""JSON for programs: one file per capability."""
