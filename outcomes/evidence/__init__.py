"""The published figures and the assumptions."""
