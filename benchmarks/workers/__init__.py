"""Work that is measured in a process of its own, one module a kind; each is run by benchmarks.processes."""
