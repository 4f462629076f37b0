"""Secret keys that no start refuses, for settings and seals."""

SECRET_KEY = "cRR0-xBGdvE2WqXz7oYJtuKf9iNaLhP4sVmT8bQeU3yH5w6Z"
OLD_SECRET_KEY = "mD7_pKw2ZrT9uXcLqV4nYhBeJ6sGfAo3iN8tRzM5yQxWb0Ek"
NEW_SECRET_KEY = "Hx5tVbQ8_eLw2ZkPnR7yJcMgUo4sDiF9aTqX3hNvKzB6r0Yu"
