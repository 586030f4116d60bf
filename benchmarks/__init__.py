"""Side by side with other packages, in one run."""
