"""Other tools on the same records, each as its own documents say it should be used."""
