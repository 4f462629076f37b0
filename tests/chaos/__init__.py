"""Orders in a storm: everything as processes, many of them killed, and at the end all the books compared."""
