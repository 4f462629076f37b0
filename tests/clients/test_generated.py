"""The clients' generated files are those of this tree's description."""

import pytest

from clients.generate import python, typescript
from clients.generate.described import read_description

DESCRIPTION = read_description()
FILES = python.files(DESCRIPTION) | typescript.files(DESCRIPTION)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_generated_file_is_what_the_description_makes(path):
    assert path.read_text("utf-8") == FILES[path], "the API's description has changed: run `make clients`"
