"""Command line: thin commands over plain functions; `output` alone writes to stdout and stderr."""
