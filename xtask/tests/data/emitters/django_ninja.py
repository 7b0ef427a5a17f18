"""Django Ninja: functions with pydantic schemas, and its own class for the bearer."""
import json
from typing import Optional

from django.conf import settings

settings.configure(ROOT_URLCONF=__name__, INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"])
import django

django.setup()

from django.urls import path
from ninja import NinjaAPI, Schema
from ninja.security import HttpBearer


class Token(Schema):
    id: str
    secret: Optional[str] = None


class NewToken(Schema):
    id: str


class Auth0TokenResponse(Schema):
    access_token: str
    token_type: str
    expires_in: int


class Message(Schema):
    detail: str


class JWT(HttpBearer):
    def authenticate(self, request, token):
        return token


api = NinjaAPI(title="pollination.cloud", version="0.0.1", servers=[{"url": "https://api.pollination.cloud"}])
common = {"tags": ["Authentication"]}


@api.post("/auth/login", operation_id="login", response={202: Auth0TokenResponse, 401: Message}, **common)
def login(request, token: Token): ...


@api.get("/auth/api-token", operation_id="get_api_token", response={200: NewToken, 401: Message}, auth=JWT(), **common)
def get_api_token(request): ...


@api.post("/auth/api-token", operation_id="create_api_token", response={201: Token}, auth=JWT(), **common)
def create_api_token(request): ...


@api.put("/auth/api-token", operation_id="rotate_api_token_secret", response={200: Token, 404: Message}, auth=JWT(), **common)
def rotate_api_token_secret(request): ...


@api.delete("/auth/api-token", operation_id="delete_api_token", response={204: None}, auth=JWT(), **common)
def delete_api_token(request): ...


urlpatterns = [path("", api.urls)]
print(json.dumps(api.get_openapi_schema(path_prefix=""), indent=1))
