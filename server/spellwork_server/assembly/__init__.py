"""Puts the parts of a server together: stores, identity, what runs, and last the operations. Nothing else imports this but the application."""
