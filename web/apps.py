from django.apps import AppConfig
from django.urls import register_converter

from web.converters import RowConverter


class WebConfig(AppConfig):
    name = "web"

    def ready(self) -> None:
        register_converter(RowConverter, "row")
