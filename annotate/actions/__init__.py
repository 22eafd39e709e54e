"""The verbs of human work, one module a subject."""

from annotate.actions.elsewhere import had_by_labels, had_by_rater
from annotate.actions.flags import flag_assignment, resolve_flag
from annotate.actions.gold import (
    people_on,
    raters_to_score,
    set_gold,
    start_anew,
    update_standing,
    withdraw_gold,
)
from annotate.actions.leases import (
    LEASE,
    end,
    lease_next_id,
    lease_time,
    reclaim_expired,
    withdraw_leases,
)
from annotate.actions.overlap import follow_overlap
from annotate.actions.ranking import put_first, set_needs
from annotate.actions.seats import (
    add_open_work,
    close_open_work,
    open_seats,
    reopen_all,
    replace_open_work,
    reseat_project,
    set_apart,
)
from annotate.actions.work import (
    asked_about,
    check_answers,
    correct_annotation,
    extend_lease,
    save_draft,
    skip_assignment,
    submit_annotation,
)

__all__ = [
    "had_by_labels",
    "had_by_rater",
    "flag_assignment",
    "resolve_flag",
    "set_apart",
    "set_needs",
    "put_first",
    "withdraw_gold",
    "update_standing",
    "start_anew",
    "set_gold",
    "raters_to_score",
    "people_on",
    "LEASE",
    "add_open_work",
    "asked_about",
    "check_answers",
    "close_open_work",
    "correct_annotation",
    "end",
    "extend_lease",
    "follow_overlap",
    "lease_next_id",
    "lease_time",
    "open_seats",
    "reclaim_expired",
    "reopen_all",
    "replace_open_work",
    "reseat_project",
    "save_draft",
    "skip_assignment",
    "submit_annotation",
    "withdraw_leases",
]
