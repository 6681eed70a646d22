"""Many judged calls as what people learn from: reports for an agent, a team, a role, the director, and a pack of examples to practise with.

In: calls and moments (facts.py) from the store or from result files. Out: frozen values that report/feedback_*.py draw. The one decision: points are summed
again from the judged moments, so that a hit that was rejected or appealed with success costs nothing anywhere, and old and new months share one measure.
"""
