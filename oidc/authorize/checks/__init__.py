"""The checks of table.py, one function each; a file per thing they are about."""
