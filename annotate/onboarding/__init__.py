"""Before the first instance: consent, a profile, a training set with explanations, a quiz. Each is off until set."""
