"""What stewards decide about people: the queue, readings, merges, splits, and what takes them back."""
