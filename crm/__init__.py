"""The domain: one package per capability."""
