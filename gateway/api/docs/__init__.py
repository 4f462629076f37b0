"""The documentation as pages: guides of ``docs/``, the reference made of the API's description, and error codes.

``site`` knows the pages, ``markup`` and ``reference`` make their contents, ``serving`` answers with them, and
``static_site`` writes them as files.
"""
