"""Pure decisions about people: clusters, placement, survivorship and enterprise IDs; no I/O."""
