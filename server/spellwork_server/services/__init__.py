"""What the server can do, each thing defined once and reached over REST and sockets alike."""
