"""The stewards' desk: pages over HTTP. Routes parse, call one service and render; nothing here decides anything."""
