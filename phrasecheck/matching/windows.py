"""The stretches of a turn that are judged by themselves: every run of one to three clauses, and the whole.

One bad clause in a long turn must not drown in the talk around it (DESIGN 6.2); training and matching cut alike.
"""

from phrasecheck.normalize import clauses

LONGEST_RUN = 3


def windows(text: str) -> list[tuple[int, int]]:
    """Ranges of `text`, end exclusive: first the whole, then runs of one to three clauses. Empty for text without words."""
    parts = clauses(text)
    if not parts:
        return []
    whole = (parts[0][0], parts[-1][1])
    runs = [(parts[i][0], parts[j][1]) for i in range(len(parts)) for j in range(i, min(i + LONGEST_RUN, len(parts)))]
    return [whole, *(run for run in runs if run != whole)]
