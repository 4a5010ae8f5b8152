"""The five stages of the data engineering lifecycle; no stage knows a later one, and none knows an undercurrent."""
