"""From files to linked people, in batches: sources, pairs, linking, training, evaluation."""
