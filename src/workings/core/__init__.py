"""The vocabulary: studies, trials, runs, evidence, claims and verdicts. Imports neither torch nor other floors."""
