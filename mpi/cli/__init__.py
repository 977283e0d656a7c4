"""The command line: each command parses, calls one service and shows what came of it. One file a command group."""
