"""The files of a new bot; ``{name}`` stands for its folder's name."""
