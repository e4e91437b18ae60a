"""The kinds of node, one file each; found by discovery."""
