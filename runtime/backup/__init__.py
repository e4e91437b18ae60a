"""Backups of the whole database: sealed files, made, verified and restored by streams."""
