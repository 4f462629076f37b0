"""A catalogue with Django REST framework, as its tutorial builds one, under gunicorn with four threads.

python with_rest_framework.py DATABASE_URL
"""

from __future__ import annotations

import hashlib
import socket
import sys
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

url = urlsplit(sys.argv[1])
url_options = parse_qs(url.query)
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    USE_TZ=True,
    TIME_ZONE="UTC",
    LOGGING_CONFIG=None,
    SECRET_KEY="of no use here",
    INSTALLED_APPS=["django.contrib.postgres", "rest_framework"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path.lstrip("/"),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname or url_options["host"][0],
            "PORT": url.port or url_options.get("port", [""])[0],
            "CONN_MAX_AGE": None,
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.contrib.postgres.fields import ArrayField  # noqa: E402 - Django wants its settings first
from django.db import models  # noqa: E402
from django.urls import path  # noqa: E402
from gunicorn.app.base import BaseApplication  # noqa: E402
from rest_framework import authentication, exceptions, generics, serializers  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402

PAGE = 50


class ApiKey(models.Model):  # noqa: DJ008 - never shown
    digest = models.TextField(primary_key=True)
    storefront = models.TextField()

    class Meta:
        app_label, managed, db_table = "peers", False, "api_keys"


class Plan(models.Model):  # noqa: DJ008 - never shown
    id = models.TextField(primary_key=True)
    name = models.TextField()
    scope = models.TextField()
    countries = ArrayField(models.TextField())
    data = models.JSONField()
    validity = models.JSONField()
    features = models.JSONField()
    price = models.JSONField()
    price_per_gb = models.JSONField(null=True)
    price_per_day = models.JSONField()
    in_stock = models.BooleanField()
    offer_count = models.IntegerField()
    stale = models.BooleanField()
    updated_at = models.DateTimeField()
    unlimited = models.BooleanField()
    total_mb = models.BigIntegerField(null=True)
    days = models.IntegerField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    amount_per_gb = models.DecimalField(max_digits=24, decimal_places=16, null=True)
    amount_per_day = models.DecimalField(max_digits=24, decimal_places=16)

    class Meta:
        app_label, managed, db_table = "peers", False, "plans"


class PlanSerializer(serializers.ModelSerializer):
    class Meta:
        model = Plan
        fields = (
            "id", "name", "scope", "countries", "data", "validity", "features", "price", "price_per_gb",
            "price_per_day", "in_stock", "offer_count", "stale", "updated_at",
        )  # fmt: skip


class Bearer(authentication.BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[ApiKey, None]:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        found = ApiKey.objects.filter(pk=hashlib.sha256(key.encode()).hexdigest()).first()
        if found is None:
            raise exceptions.AuthenticationFailed
        return found, None


ORDERS = {
    "price": models.F("amount").asc(),
    "-price": models.F("amount").desc(),
    "price_per_gb": models.F("amount_per_gb").asc(nulls_last=True),
    "price_per_day": models.F("amount_per_day").asc(),
    "data": models.F("total_mb").asc(nulls_last=True),
    "days": models.F("days").asc(),
}


class Plans(generics.ListAPIView):
    """The first page of a country's plans."""

    authentication_classes = (Bearer,)
    permission_classes = ()
    serializer_class = PlanSerializer

    def list(self, request: Request, *_: Any, **__: Any) -> Response:
        sent = request.query_params
        query = Plan.objects.filter(countries__contains=[sent["country"]])
        if "unlimited" in sent:
            query = query.filter(unlimited=sent["unlimited"] == "true")
        if "max_price" in sent:
            query = query.filter(amount__lte=sent["max_price"])
        if "max_days" in sent:
            query = query.filter(days__lte=sent["max_days"])
        found = list(query.order_by(ORDERS[sent.get("sort", "price")], "id")[: PAGE + 1])
        return Response({"data": self.get_serializer(found[:PAGE], many=True).data, "has_more": len(found) > PAGE})


urlpatterns = [path("v1/plans", Plans.as_view())]


class Server(BaseApplication):
    """Gunicorn on a socket that is open already."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        super().__init__()

    def load_config(self) -> None:
        for name, value in {
            "bind": f"fd://{self.descriptor}", "workers": 1, "threads": 4, "worker_class": "gthread",
            "keepalive": 75, "loglevel": "error", "control_socket_disable": True,
        }.items():  # fmt: skip
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        return get_wsgi_application()


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        print(listening.getsockname()[1], flush=True)
        Server(listening.fileno()).run()
