"""Full-text search over instances: ids, prompts and responses, whole words and their beginnings.

The words are kept apart from the instances and written by a task after an import, so that importing
stays fast; a search first writes what is still missing, as far as a person can wait for it.
PostgreSQL's `simple` dictionary treats all languages alike: nothing is stemmed, nothing is left out.
"""

import re

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from ledger.models import Instance, Project

PATIENCE = (
    3000  # instances that a search indexes itself, some 300 ms a thousand; the rest is left to the task
)

# A tsvector holds at most 1 MiB, so that very long texts are searchable by their beginnings only.
WORDS_OF = """
    INSERT INTO dashboard_searchtext (instance_id, vector)
    SELECT i.id, to_tsvector('simple', i.ref)
        || CASE WHEN length(i.prompt::text) < 100000 THEN to_tsvector('simple', i.prompt)
                ELSE to_tsvector('simple', left(i.prompt::text, 100000)) END
        || to_tsvector('simple', left(coalesce(
            (SELECT string_agg(left(r.text, 50000), ' ') FROM ledger_response r WHERE r.instance_id = i.id), ''
        ), 100000))
    FROM ledger_instance i WHERE i.id IN (
        SELECT m.id FROM ledger_instance m
        WHERE m.project_id = %s AND NOT EXISTS (SELECT FROM dashboard_searchtext s WHERE s.instance_id = m.id)
        ORDER BY m.id LIMIT %s)
    ON CONFLICT (instance_id) DO NOTHING
"""
PART = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
WORD = re.compile(r"\w+")


def index_missing(project: Project, *, limit: int = PATIENCE) -> int:
    """Writes the words of up to `limit` instances that lack them; how many were written."""
    with connection.cursor() as cursor:
        cursor.execute(WORDS_OF, [project.pk, limit])
        return cursor.rowcount


def as_tsquery(text: str) -> str:
    """A person's search as a tsquery: all words, each a beginning; `"a phrase"` in this order; `-word` without.

    >>> as_tsquery('prime "largest number" -even')
    "'prime':* & ('largest' <-> 'number') & !('even':*)"
    """
    parts = []
    for minus, phrase, word in PART.findall(text):
        words = WORD.findall(phrase or word)
        if not words:
            continue
        term = (
            " <-> ".join(f"'{each}'" for each in words)
            if phrase
            else " <-> ".join(f"'{each}':*" for each in words)
        )
        grouped = f"({term})" if len(words) > 1 or minus else term
        parts.append("!" * bool(minus) + grouped)
    return " & ".join(parts)


def matching(instances: QuerySet[Instance], text: str) -> QuerySet[Instance]:
    """Those of `instances` that the search finds; none where it holds no word."""
    query = as_tsquery(text)
    if not query:
        return instances.none()
    found = RawSQL(
        "SELECT instance_id FROM dashboard_searchtext WHERE vector @@ to_tsquery('simple', %s)", [query]
    )
    return instances.filter(pk__in=found)
