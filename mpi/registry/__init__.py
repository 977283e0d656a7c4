"""The store of records, people, links, tasks and events: SQLAlchemy Core on SQLite and PostgreSQL."""
