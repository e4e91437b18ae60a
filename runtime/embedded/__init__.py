"""The PostgreSQL and Valkey servers that Siyu starts for itself on one machine."""
