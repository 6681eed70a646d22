"""The methods that compare what was said with the lexicon, one file each, and `fuse`, which makes one verdict of them."""
