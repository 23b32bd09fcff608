"""What is answered, one module for each kind of thing; ``table`` names them all."""
