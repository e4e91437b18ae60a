"""Types of survey questions, one module each."""
