"""The embedded store: people, badges, templates, events."""
