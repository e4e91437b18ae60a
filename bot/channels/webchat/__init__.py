"""The web chat: a page of our own over a WebSocket, by itself or within a brand's pages."""
