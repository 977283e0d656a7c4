"""A made-up city: people, households, four sources with their habits of error, and the truth."""
