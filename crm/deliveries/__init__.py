"""The deliveries capability."""
