"""The brand: name, logo, time zone, currency, languages."""
