"""Runs the migrations on the connection that `mpi.registry.migrate` hands over, inside its transaction."""

from alembic import context

from mpi.registry.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
