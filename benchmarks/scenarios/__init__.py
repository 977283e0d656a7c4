"""One scenario a file: a name, what it measures and against whom, and a plain function that gives figures as JSON."""
