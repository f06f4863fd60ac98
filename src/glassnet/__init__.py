"""glassnet: the fully connected neural network, by hand."""
__version__ = "0.1.0"
