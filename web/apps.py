from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.urls import register_converter

from web.converters import RowConverter
from web.sql import plan_once


class WebConfig(AppConfig):
    name = "web"

    def ready(self) -> None:
        register_converter(RowConverter, "row")
        connection_created.connect(plan_once)
