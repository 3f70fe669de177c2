"""What `make bench` measures, each with its target and its peers in the same run."""
