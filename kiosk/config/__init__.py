"""Configuration: one TOML file becomes a frozen tree; each part gets only its group."""
