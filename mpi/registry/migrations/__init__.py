"""Alembic migrations of the registry; run by `mpi.registry.migrate`, never by hand."""
