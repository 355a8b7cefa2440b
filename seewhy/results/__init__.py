"""What is kept of a data set explained: its folder on disk, and what that tells."""
