"""What every plugin stands on: transport, rate limits and breakers, and the reading of places, units and texts.

It knows no supplier, and nothing of the gateway.
"""
