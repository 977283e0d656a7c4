"""Reference tables that ship with the package, one folder a country."""
