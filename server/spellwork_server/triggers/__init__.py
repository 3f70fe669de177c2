"""Triggers: what starts runs of a canvas by the clock, from outside, or when another run ends."""
