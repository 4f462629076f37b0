"""A little shop that sells eSIMs from the gateway: what a storefront developer copies. README.md leads through it."""
