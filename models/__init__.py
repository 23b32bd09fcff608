"""The weights: where they come from, how they are verified, and the code that runs them."""
