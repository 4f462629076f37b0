-- Where an order is traced, the trace that its request was part of: whoever processes the order goes on with it.
ALTER TABLE orders ADD COLUMN traceparent text;
