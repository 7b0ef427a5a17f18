#!/usr/bin/env python3
"""Writes the upstream-like documents beside this file.

They are FastAPI's own output for one service: the five operations, and around them many endpoints
that have nothing to do with them. Run it once with each of these sets of packages, and check the
result in:

    fastapi==0.165.0 pydantic==2.14.4   writes fastapi-3.1.0.json
    fastapi==0.65.3  pydantic==1.10.27  writes fastapi-3.0.2.json
"""

import enum
import json
import pathlib
import typing
from datetime import date, datetime
from typing import Any, Dict, List, Optional, Union
from uuid import UUID

import pydantic
from fastapi import Depends, FastAPI, File, Header, Query, UploadFile
from fastapi.security import HTTPBearer, OAuth2PasswordBearer
from pydantic import BaseModel, Field

app = FastAPI(
    title="pollination.cloud",
    description="Pollination Cloud API",
    version="0.0.1",
    servers=[{"url": "https://api.pollination.cloud"}],
    openapi_tags=[{"name": "Projects", "description": "Not ours."}],
)


class Token(BaseModel):
    id: str
    secret: Optional[str] = None


class NewToken(BaseModel):
    id: str


class Auth0TokenResponse(BaseModel):
    access_token: str
    token_type: str
    expires_in: int


REFUSALS = {
    401: {"description": "Unauthorized"},
    403: {"description": "Access forbidden"},
    500: {"description": "Server error"},
    404: {"description": "Not found"},
}
bearer = [Depends(HTTPBearer(bearerFormat="JWT", scheme_name="JWT"))]
ours = {"tags": ["Authentication"]}


@app.post(
    "/auth/login",
    operation_id="login",
    summary="Login with API Token",
    description="Login user with token data",
    status_code=202,
    response_model=Auth0TokenResponse,
    response_description="Success",
    **ours,
)
def login(token: Token):
    pass


@app.get(
    "/auth/api-token",
    operation_id="get_api_token",
    summary="Get your API Token ID",
    description="Retrieve an API Token Name.",
    response_model=NewToken,
    response_description="Retrieved",
    responses=REFUSALS,
    dependencies=bearer,
    **ours,
)
def get_api_token():
    pass


@app.post(
    "/auth/api-token",
    operation_id="create_api_token",
    summary="Create an API Token",
    description="Create a new api token.",
    status_code=201,
    response_model=Token,
    response_description="Success",
    dependencies=bearer,
    **ours,
)
def create_api_token():
    pass


@app.put(
    "/auth/api-token",
    operation_id="rotate_api_token_secret",
    summary="Rotate an API token secret",
    description="Rotate a token's secret.",
    response_model=Token,
    response_description="Success",
    responses=REFUSALS,
    dependencies=bearer,
    **ours,
)
def rotate_api_token_secret():
    pass


@app.delete(
    "/auth/api-token",
    operation_id="delete_api_token",
    summary="Delete an API Token",
    description="Delete an API Token.",
    status_code=204,
    response_description="Success",
    responses=REFUSALS,
    dependencies=bearer,
    **ours,
)
def delete_api_token():
    pass


# From here on: what the pipeline must not see.


class Colour(enum.Enum):
    red = "red"
    green = "green"


class Point(BaseModel):
    at: typing.Tuple[float, float, float]
    kind: typing.Literal["Point"] = "Point"
    weight: float = Field(1.0, gt=0, le=10)


class Node(BaseModel):
    name: str = Field("root", min_length=1, max_length=80)
    children: List["Node"] = []
    parent: Optional["Node"] = None
    extra: Dict[str, Any] = {}
    colour: Optional[Colour] = None


if hasattr(Node, "model_rebuild"):
    Node.model_rebuild()
else:
    Node.update_forward_refs()


class Job(BaseModel):
    id: UUID
    created: datetime
    due: Optional[date] = None
    inputs: List[Union[int, str, Point, None]] = []
    state: typing.Literal["queued", "running", "done"] = "queued"
    labels: Dict[str, Optional[str]] = {}


oauth = [Depends(OAuth2PasswordBearer(tokenUrl="token", scopes={"jobs": "Jobs"}))]
for noun in ["account", "artifact", "job", "plugin", "project", "recipe", "run", "team", "user"]:
    path = f"/{noun}s"

    @app.get(path, name=f"list {noun}s", response_model=List[Job], tags=["Projects"])
    def list_all(
        page: int = Query(1, ge=1),
        search: Optional[str] = None,
        colour: List[Colour] = Query([]),
        request_id: Optional[str] = Header(None),
    ):
        pass

    @app.post(path, name=f"create {noun}", response_model=Node, status_code=201, dependencies=oauth)
    def create(node: Node):
        pass

    @app.get(path + "/{item}", name=f"get {noun}", response_model=Union[Job, Node], tags=["Projects"])
    def get_one(item: UUID):
        pass

    @app.put(path + "/{item}", name=f"update {noun}", response_model=Point, responses=REFUSALS)
    def update(item: UUID, point: Point, force: bool = False):
        pass

    @app.post(path + "/{item}/upload", name=f"upload {noun}", deprecated=True)
    def upload(item: UUID, file: UploadFile = File(...)):
        pass


document = app.openapi()
here = pathlib.Path(__file__).parent
name = f"fastapi-{document['openapi']}.json"
(here / name).write_text(json.dumps(document, indent=1) + "\n")
print(name, "with pydantic", pydantic.VERSION, "and", len(document["paths"]), "paths")
