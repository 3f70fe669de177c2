"""Bring a database to the tables of ``storage.schema``, step by step, under Alembic."""
