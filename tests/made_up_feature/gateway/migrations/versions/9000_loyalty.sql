CREATE TABLE loyalty_points (
    storefront_id text PRIMARY KEY REFERENCES storefronts (id),
    points integer NOT NULL CHECK (points >= 0)
);
