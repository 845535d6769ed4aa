"""The page journey: scheduling, deadlines, fairness. Knows ports only."""
