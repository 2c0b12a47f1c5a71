"""Token rows to a trained model: batches, loss, optimizer, loop, checkpoints."""
