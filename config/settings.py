"""Switchyard's settings: the only module that reads the environment (12-factor).

Without DATABASE_URL or REDIS_URL the *embedded* mode starts a private PostgreSQL and Redis
(`config.embedded`) under SWITCHYARD_HOME and generates the secret key there once.
"""

import socket
from pathlib import Path

import environ

from config import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# ---------------------------------------------------------------- where things live

SWITCHYARD_HOME = Path(env("SWITCHYARD_HOME", default=str(BASE_DIR / "var"))).resolve()
MODELS_DIR = Path(env("MODELS_DIR", default=str(BASE_DIR / "var" / "models")))
MODELS_CACHE = Path(env("MODELS_CACHE", default=str(MODELS_DIR / "converted")))
MEDIA_ROOT = Path(env("MEDIA_ROOT", default=str(SWITCHYARD_HOME / "media")))
EMBEDDED = not env("DATABASE_URL", default="")
HOST = env("HOST", default="127.0.0.1" if EMBEDDED else "0.0.0.0")
PORT = env.int("PORT", default=8000)
WEB_WORKERS = env.int("WEB_WORKERS", default=2)
WEB_THREADS = env.int("WEB_THREADS", default=4)
DEMO = env.bool("DEMO", default=EMBEDDED)

# ---------------------------------------------------------------- services

services = embedded.services(
    SWITCHYARD_HOME,
    database_url=env("DATABASE_URL", default=""),
    redis_url=env("REDIS_URL", default=""),
)
DATABASES = {
    "default": {
        **services.database,
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
        "CONN_HEALTH_CHECKS": env.bool("CONN_HEALTH_CHECKS", default=False),  # a query a request
        "ATOMIC_REQUESTS": False,
    }
}
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS", default=True)  # a pooler by transaction loses them
POSTGRES_BIN = embedded.postgres_tools()
REDIS_URL = services.redis_url
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

CELERY_BROKER_URL = services.broker_url
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "judges.tasks.*": {"queue": "judges"},
    "routing.tasks.tag_prompts": {"queue": "judges"},
    "routing.tasks.embed_texts": {"queue": "judges"},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_BEAT_SCHEDULE = {
    "take-up-lost-judge-chunks": {"task": "judges.tasks.take_up_lost_chunks", "schedule": 30.0},
    "prune-cached-answers": {"task": "judges.tasks.prune_cached_answers", "schedule": 24 * 3600.0},
    "reclaim-expired-leases": {"task": "annotate.tasks.reclaim_expired", "schedule": 20.0},
    "refresh-online-routes": {"task": "routing.tasks.refresh_online_routes", "schedule": 3600.0},
}

# ---------------------------------------------------------------- security

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="") or (
    embedded.secret_key(SWITCHYARD_HOME) if EMBEDDED else env("SECRET_KEY")
)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", socket.gethostname()])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=not EMBEDDED)
SECURE_SSL_REDIRECT = False  # the proxy in front ends TLS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
PRIVATE_ENDPOINTS = env.bool("PRIVATE_ENDPOINTS", default=False)  # may judges call private addresses?
CACHED_ANSWER_DAYS = env.int("CACHED_ANSWER_DAYS", default=90)  # 0: whatever their age
CACHED_ANSWER_MB = env.int("CACHED_ANSWER_MB", default=2048)  # 0: however many
LEASE_SECONDS = env.int("LEASE_SECONDS", default=30 * 60)
UPLOAD_LIMIT_BYTES = env.int("UPLOAD_LIMIT_BYTES", default=2 * 1024**3)
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # uploads stream; UPLOAD_LIMIT_BYTES is what bounds them
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# ---------------------------------------------------------------- the house

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "web",
    "accounts",
    "ledger",
    "quality",
    "annotate",
    "judges",
    "routing",
    "exports",
    "dashboard",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "web.middleware.ApiMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "web.middleware.PageMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    }
]

# ---------------------------------------------------------------- people

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="switchyard@localhost")

# ---------------------------------------------------------------- words, time, files

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español"), ("zh-hans", "简体中文"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = env("TIME_ZONE", default="UTC")
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
STATIC_ROOT = SWITCHYARD_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "media/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "web.storage.StaticStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", default="WARNING")},
    "loggers": {"switchyard": {"level": env("LOG_LEVEL", default="INFO")}},
}
