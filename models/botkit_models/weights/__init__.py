"""Reading and writing weights: one reader per file format, one native form to serve from."""
