"""One file a schema version; a released one never changes."""
