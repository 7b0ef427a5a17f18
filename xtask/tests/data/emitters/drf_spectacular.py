"""Django REST framework: serializers and views, described by drf-spectacular."""
import json
import sys

from django.conf import settings

settings.configure(
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "drf_spectacular"],
    REST_FRAMEWORK={"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"},
    SPECTACULAR_SETTINGS={
        "TITLE": "pollination.cloud",
        "VERSION": "0.0.1",
        "SERVERS": [{"url": "https://api.pollination.cloud"}],
        "OAS_VERSION": sys.argv[1],
    },
)
import django

django.setup()

from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.views import APIView


class Token(serializers.Serializer):
    id = serializers.CharField()
    secret = serializers.CharField(required=False, allow_null=True)


class NewToken(serializers.Serializer):
    id = serializers.CharField()


class Auth0TokenResponse(serializers.Serializer):
    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()


class Jwt(BaseAuthentication):
    pass


class JwtScheme(OpenApiAuthenticationExtension):
    target_class = Jwt
    name = "JWT"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


NO_CONTENT = {204: OpenApiResponse(description="Success")}
REFUSALS = {401: OpenApiResponse(description="Unauthorized"), 404: OpenApiResponse(description="Not found")}


class Login(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="login", request=Token, responses={202: Auth0TokenResponse}, tags=["Authentication"])
    def post(self, request):
        """Login with API Token"""


class ApiToken(APIView):
    authentication_classes = [Jwt]
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="get_api_token", responses={200: NewToken, **REFUSALS}, tags=["Authentication"])
    def get(self, request):
        """Get your API Token ID"""

    @extend_schema(operation_id="create_api_token", request=None, responses={201: Token}, tags=["Authentication"])
    def post(self, request):
        """Create an API Token"""

    @extend_schema(operation_id="rotate_api_token_secret", request=None, responses={200: Token, **REFUSALS}, tags=["Authentication"])
    def put(self, request):
        """Rotate an API token secret"""

    @extend_schema(operation_id="delete_api_token", responses=NO_CONTENT, tags=["Authentication"])
    def delete(self, request):
        """Delete an API Token"""


urlpatterns = [path("auth/login", Login.as_view()), path("auth/api-token", ApiToken.as_view())]
document = SchemaGenerator().get_schema(request=None, public=True)
print(json.dumps(document, indent=1))
