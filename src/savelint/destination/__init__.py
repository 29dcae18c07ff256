"""Where a model is to be saved, and whether that is possible, here and now.

What the text of a path says is checked first (`spelling`), then the files and directories
on the way to it (`tree`, `target`), then whether the system lets this process write there
(`probe`) and how much (`room`). Nothing is left behind, and TensorFlow is not needed.
"""
