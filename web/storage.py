"""Static files under names that carry their hash, our own modules' imports included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage as Base


class StaticStorage(Base):
    """Rewrites `import … from "./x.js"` under `js/`, so that a deploy never mixes old modules with new ones.

    Django's own switch for it covers every package's scripts, and takes words in their comments for imports.
    """

    patterns = (*Base.patterns, ("js/*.js", Base._js_module_import_aggregation_patterns[1]))
