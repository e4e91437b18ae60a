"""The console's pages, asked for in process."""
