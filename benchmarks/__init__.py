"""What is measured, against what: `make bench`. Every figure stands beside a reference of the same run."""
