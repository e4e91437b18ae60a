"""Where people reach this deployment, for services that write links."""

PUBLIC_URL = "public_url"
"""Name of the port that holds the address as a text, without a slash at the end."""
