"""Activities: the brand's events that members register for and come to."""
