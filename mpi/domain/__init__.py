"""Frozen values and errors that every floor speaks in; standard library only."""
