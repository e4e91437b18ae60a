"""What a pretend user does: speak, press, block, found a group."""
