"""Is this a living face in front of this screen, now? Gates over the light that the face sends back."""
