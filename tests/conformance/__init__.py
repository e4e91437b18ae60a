"""What everything of one kind must do: the same tests run over each that is discovered."""
