"""The database: engine, schema, migrations, group commit, machines and bursts; it knows nothing of paging."""
