"""What stewards and auditors look at: pairs, clusters, people, the trail, masked until it is revealed."""
