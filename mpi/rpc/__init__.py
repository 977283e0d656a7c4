"""gRPC: thin shells that parse a request, check it, call one service and render its answer."""
