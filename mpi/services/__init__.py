"""One verb group a file: each opens its unit of work and calls the floors below; no SQL here."""
