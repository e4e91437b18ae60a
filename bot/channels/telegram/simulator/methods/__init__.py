"""The Bot API methods that bots call, one file per concern."""
