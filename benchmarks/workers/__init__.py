"""Calls of workers and values between them."""
