"""Named benchmarks: what linking costs and how right it is, beside its peers. README.md says how to read them."""
