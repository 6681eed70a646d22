"""Every table: python -m bench EVAL."""

from bench import speech, text

text.main()
print()
speech.main()
