-- How a storefront's pages for travellers look, and where they lead.
CREATE TABLE traveller_settings (
    storefront_id text PRIMARY KEY REFERENCES storefronts ON DELETE CASCADE,
    shop_name     text CHECK (shop_name <> ''),
    accent_color  text CHECK (accent_color ~ '^#[0-9a-f]{6}$'),   -- of buttons
    header_color  text CHECK (header_color ~ '^#[0-9a-f]{6}$'),   -- behind name and logo
    logo          bytea,
    logo_type     text CHECK (logo_type IN ('image/png', 'image/jpeg')),
    topup_url     text CHECK (topup_url <> ''),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CHECK ((logo IS NULL) = (logo_type IS NULL))
);
