"""What the source says about Keras; nothing here knows a rule."""
