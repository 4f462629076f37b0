"""What becomes of an order: decisions over plain values, without a clock, a database or a network of their own."""
