"""What the simulated server knows: bots, people, chats, messages and files."""
