ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_scopes_check CHECK (
    scopes <@ ARRAY['catalog', 'storefront', 'routing', 'goods', 'ops:read', 'ops'] AND scopes <> '{}'
);
ALTER TABLE api_keys ADD COLUMN name text CHECK (length(name) BETWEEN 1 AND 100);
COMMENT ON COLUMN api_keys.name IS 'What the key is for, as its maker called it. Null for a key without a name.';
ALTER TABLE api_keys ADD COLUMN narrowed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN api_keys.narrowed IS
    'Made when every key opened the routes of a storefront, and without the scope storefront: it opens less now. '
    'Listed by doctor until it is revoked.';
UPDATE api_keys SET narrowed = true WHERE NOT 'storefront' = ANY (scopes);
