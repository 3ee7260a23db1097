"""The database's migrations, forward only; ``app.adapters.postgres.migrate`` runs them."""
