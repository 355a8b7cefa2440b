"""Pictures in and out: reading them, preparing them for a model, laying maps over them, drawing."""
