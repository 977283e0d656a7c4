"""Rule files: from a folder of linkage_rules to a LinkageModel, and nothing that is not sound gets past here."""
