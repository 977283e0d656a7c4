"""What scenario `online` is made of: a registry and unseen records, servers, a load generator, bare databases."""
