"""One folder per channel; each holds its manifest, its receiver and its sender."""
