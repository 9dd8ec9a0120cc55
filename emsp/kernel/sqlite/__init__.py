"""Django's SQLite backend with write transactions standing in line."""
