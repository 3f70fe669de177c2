"""Help for whoever writes code on a canvas: formatting, completion, renaming. Code is read here, and never run."""
