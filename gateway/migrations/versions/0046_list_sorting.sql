-- Operators sort the lists of orders, of checkouts and of the audit log by these columns; an index goes both ways.
CREATE INDEX orders_by_price ON orders (price_base, id);
CREATE INDEX checkouts_by_price ON checkouts (price_base, id);
CREATE INDEX audit_log_actor ON audit_log (actor, id);
CREATE INDEX audit_log_action ON audit_log (action, id);
DROP INDEX audit_log_object;
CREATE INDEX audit_log_object ON audit_log (object, id);
