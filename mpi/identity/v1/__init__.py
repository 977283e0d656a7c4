"""Package mpi.identity.v1: messages and the identity service."""
