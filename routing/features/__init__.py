"""Features of pairs: pure functions of a table, one file an entry, cached with the table.

Each entry maps a `Table` to a `Block`. An *odd* feature changes sign when the two responses swap (which
verdict?), an *even* one stays (how sure, how close?).
"""

from web.registry import Registry

# Kept behind a name because scikit-learn takes a second to import, and most processes never need it.
TEXTS = Registry(
    "text measure",
    {
        "space": "routing.features.words:Space",
        "learner": "routing.features.words:learner",
        "dimensions": "routing.features.words:dimensions",
        "reduce": "routing.features.words:reduce",
        "clusters": "routing.features.words:clusters",
    },
)

FEATURES = Registry(
    "routing feature",
    {
        "lengths": "routing.features.lengths:lengths",
        "similarity": "routing.features.similarity:similarity",
        "entities": "routing.features.entities:entity_overlap",
        "form": "routing.features.form:form",
        "language": "routing.features.language:language",
        "judges": "routing.features.judges:judges",
        "strengths": "routing.features.strengths:strengths",
        "topics": "routing.features.topics:topics",
    },
)
