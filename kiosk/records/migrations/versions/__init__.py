"""One file a schema change. A published one is never edited; add the next and name it in ``migrate.KNOWN``."""
