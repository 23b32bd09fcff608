"""The simulated world: what the Display shows lights a scene, and the Camera films it."""
