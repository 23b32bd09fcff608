"""How people get into the store: register from pictures, each step with a reason when it refuses."""
