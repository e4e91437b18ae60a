"""Channel-neutral conversations, one file each, and the engine that runs them."""
