"""Writes what the clients are made of, from the storefronts' OpenAPI document and the list of error codes."""
