"""Engine, sessions, the database clock, column types, partitions."""
