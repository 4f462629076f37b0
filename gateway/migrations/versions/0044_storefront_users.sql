-- Users of a storefront: they see what is its own, and nothing else.
ALTER TABLE users
    DROP CONSTRAINT users_role_check,
    ADD CONSTRAINT users_role_check CHECK (role IN ('viewer', 'operator', 'admin', 'storefront')),
    ADD COLUMN storefront_id text REFERENCES storefronts,
    ADD CONSTRAINT users_storefront_check CHECK ((role = 'storefront') = (storefront_id IS NOT NULL));
COMMENT ON COLUMN users.storefront_id IS 'The storefront that a user of the role storefront belongs to; null for all others.';
