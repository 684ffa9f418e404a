"""Which value goes where: layouts, walks and the loops of kernels; no arithmetic."""
