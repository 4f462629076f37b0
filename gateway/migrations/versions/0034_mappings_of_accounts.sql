-- A mapping counts for every provider, for one, or for one account at it.
ALTER TABLE mappings ADD COLUMN supplier text NOT NULL DEFAULT '';
COMMENT ON COLUMN mappings.supplier IS 'The account that alone it counts for; empty for every account at the provider.';
ALTER TABLE mappings
    DROP CONSTRAINT mappings_provider_about_key_key,
    ADD UNIQUE (provider, supplier, about, key),
    ADD CHECK (supplier = '' OR provider <> '');
