"""Every table: python -m bench EVAL."""

from bench import calls, text

text.main()
print()
calls.main()
