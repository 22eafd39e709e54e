"""Users, sign-in, tokens, roles, and the one place where rights are checked."""
