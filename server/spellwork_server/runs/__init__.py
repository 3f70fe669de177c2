"""Runs on the server: who runs what where, and what it says, numbered and kept."""
