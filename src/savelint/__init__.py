"""savelint finds and fixes what breaks saving, exporting, reloading or serving a Keras model."""

__version__ = "0.1.0"
