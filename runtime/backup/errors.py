"""What can go wrong with a backup; each message says what to do."""


class BackupProblem(Exception):
    """The backup cannot be made, read or restored."""


class BackupDamaged(BackupProblem):
    """The file is not what was written."""
