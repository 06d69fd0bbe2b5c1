"""The version, said once; pyproject reads it here."""

VERSION = "0.1.0"
