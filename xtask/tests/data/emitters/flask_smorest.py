"""Flask-Smorest: marshmallow schemas, written by apispec."""
import json
import sys

from flask import Flask
from flask.views import MethodView
from flask_smorest import Api, Blueprint
from marshmallow import Schema, fields


class TokenSchema(Schema):
    id = fields.String(required=True)
    secret = fields.String(allow_none=True)


class NewTokenSchema(Schema):
    id = fields.String(required=True)


class Auth0TokenResponseSchema(Schema):
    access_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True)


app = Flask(__name__)
app.config["API_TITLE"] = "pollination.cloud"
app.config["API_VERSION"] = "0.0.1"
app.config["OPENAPI_VERSION"] = sys.argv[1]
api = Api(app, spec_kwargs={"servers": [{"url": "https://api.pollination.cloud"}]})
api.spec.components.security_scheme("JWT", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
blueprint = Blueprint("Authentication", __name__, url_prefix="/auth")
JWT = [{"JWT": []}]


@blueprint.route("/login")
class Login(MethodView):
    @blueprint.doc(operationId="login")
    @blueprint.arguments(TokenSchema)
    @blueprint.response(202, Auth0TokenResponseSchema, description="Success")
    def post(self, token):
        """Login with API Token"""


@blueprint.route("/api-token")
class ApiToken(MethodView):
    @blueprint.doc(operationId="get_api_token", security=JWT)
    @blueprint.response(200, NewTokenSchema)
    @blueprint.alt_response(404, description="Not found")
    def get(self):
        """Get your API Token ID"""

    @blueprint.doc(operationId="create_api_token", security=JWT)
    @blueprint.response(201, TokenSchema)
    def post(self):
        """Create an API Token"""

    @blueprint.doc(operationId="rotate_api_token_secret", security=JWT)
    @blueprint.response(200, TokenSchema)
    def put(self):
        """Rotate an API token secret"""

    @blueprint.doc(operationId="delete_api_token", security=JWT)
    @blueprint.response(204)
    def delete(self):
        """Delete an API Token"""


api.register_blueprint(blueprint)
print(json.dumps(api.spec.to_dict(), indent=1))
