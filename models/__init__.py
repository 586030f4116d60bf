"""Models of overall survival and local control."""
