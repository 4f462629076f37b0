"""The gateway's language: pure, frozen types that every other package speaks.

Nothing here does I/O, reads settings or knows a supplier.
"""
