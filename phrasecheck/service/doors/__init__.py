"""Ways in for calls in progress: each reads one protocol of telephone systems and knows nothing else."""
