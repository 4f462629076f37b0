"""What stands here is meant to be copied; nothing in the gateway imports it."""
