"""Pages for operators: one file per capability."""
