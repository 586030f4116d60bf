"""The effect of treatment, with confounding and immortal time dealt with."""
