"""Speed and accuracy beside plain baselines, each script a table in one run. EVAL is a folder of labelled data; the product never needs it."""
