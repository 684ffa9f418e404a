"""Images from files: IDX and MNIST, .npy, pictures and their preparation."""
