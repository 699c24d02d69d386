"""Training: one loop, batches that depend on (seed, epoch) alone, and checkpoints from which a run resumes exactly."""
