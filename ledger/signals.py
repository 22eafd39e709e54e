"""What the ledger tells those above it. Sent inside the transaction that wrote; receivers enqueue on commit."""

from django.dispatch import Signal

instances_added = Signal()  # project, instance_ids: list[int]
labels_written = Signal()  # project, label_ids: list[int], instance_ids: list[int]; imported=True from a file
rater_recognised = Signal()  # rater, of whom there may be labels, and who now is a user
overlap_changed = Signal()  # project
member_status_changed = Signal()  # project, member
settings_changed = Signal()  # project, before: dict, the settings as they were
