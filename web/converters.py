"""Parts of addresses: what may stand for a row's number."""

from django.urls.converters import IntConverter


class RowConverter(IntConverter):
    """A row's number as PostgreSQL's bigint holds it; anything longer is no address, and so 404."""

    regex = "[0-9]{1,18}"
