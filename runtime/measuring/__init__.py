"""What processes say of themselves and of the deployment, for Prometheus."""
