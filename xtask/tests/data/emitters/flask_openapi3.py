"""flask-openapi3: pydantic models on Flask's routes."""
import json
from typing import Optional

from flask_openapi3 import Info, OpenAPI, Server, Tag
from pydantic import BaseModel


class Token(BaseModel):
    id: str
    secret: Optional[str] = None


class NewToken(BaseModel):
    id: str


class Auth0TokenResponse(BaseModel):
    access_token: str
    token_type: str
    expires_in: int


class Message(BaseModel):
    detail: str


app = OpenAPI(
    __name__,
    info=Info(title="pollination.cloud", version="0.0.1"),
    servers=[Server(url="https://api.pollination.cloud")],
    security_schemes={"JWT": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    responses={401: Message},
)
tags = [Tag(name="Authentication")]
JWT = [{"JWT": []}]


@app.post("/auth/login", operation_id="login", tags=tags, responses={202: Auth0TokenResponse})
def login(body: Token): ...


@app.get("/auth/api-token", operation_id="get_api_token", tags=tags, security=JWT, responses={200: NewToken})
def get_api_token(): ...


@app.post("/auth/api-token", operation_id="create_api_token", tags=tags, security=JWT, responses={201: Token})
def create_api_token(): ...


@app.put("/auth/api-token", operation_id="rotate_api_token_secret", tags=tags, security=JWT, responses={200: Token})
def rotate_api_token_secret(): ...


@app.delete("/auth/api-token", operation_id="delete_api_token", tags=tags, security=JWT, responses={204: None})
def delete_api_token(): ...


print(json.dumps(app.api_doc, indent=1))
