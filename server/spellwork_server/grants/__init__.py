"""What canvases were granted: hosts, and secrets with the hosts to which they may go."""
