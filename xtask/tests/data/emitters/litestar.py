"""Litestar: controllers with dataclasses, and a security scheme that is declared by hand."""
import json
from dataclasses import dataclass
from typing import Optional

from litestar import Controller, Litestar, delete, get, post, put
from litestar.exceptions import NotAuthorizedException, NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server


@dataclass
class Token:
    id: str
    secret: Optional[str] = None


@dataclass
class NewToken:
    id: str


@dataclass
class Auth0TokenResponse:
    access_token: str
    token_type: str
    expires_in: int


JWT = [{"JWT": []}]


class Authentication(Controller):
    path = "/auth"
    tags = ["Authentication"]

    @post("/login", operation_id="login", status_code=202)
    async def login(self, data: Token) -> Auth0TokenResponse: ...

    @get("/api-token", operation_id="get_api_token", security=JWT, raises=[NotAuthorizedException, NotFoundException])
    async def get_api_token(self) -> NewToken: ...

    @post("/api-token", operation_id="create_api_token", security=JWT)
    async def create_api_token(self) -> Token: ...

    @put("/api-token", operation_id="rotate_api_token_secret", security=JWT, raises=[NotAuthorizedException])
    async def rotate_api_token_secret(self) -> Token: ...

    @delete("/api-token", operation_id="delete_api_token", security=JWT)
    async def delete_api_token(self) -> None: ...


app = Litestar(
    [Authentication],
    openapi_config=OpenAPIConfig(
        title="pollination.cloud",
        version="0.0.1",
        servers=[Server(url="https://api.pollination.cloud")],
        components=Components(security_schemes={"JWT": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}),
    ),
)
print(json.dumps(app.openapi_schema.to_schema(), indent=1))
