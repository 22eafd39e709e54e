"""The router: decides between people and judges under a budget, settles, and replays."""
