"""HTTP for operators: the JSON API and the console."""
