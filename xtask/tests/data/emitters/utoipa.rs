//! utoipa: derived schemas and annotated handlers.
use serde::{Deserialize, Serialize};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

#[derive(Serialize, Deserialize, ToSchema)]
struct Token {
    id: String,
    secret: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct NewToken {
    id: String,
}

#[derive(Serialize, ToSchema)]
struct Auth0TokenResponse {
    access_token: String,
    token_type: String,
    expires_in: i64,
}

#[derive(Serialize, ToSchema)]
struct Problem {
    detail: String,
}

#[utoipa::path(post, path = "/auth/login", operation_id = "login", tag = "Authentication", request_body = Token,
    responses((status = 202, description = "Success", body = Auth0TokenResponse), (status = 401, description = "Unauthorized", body = Problem)))]
fn login() {}

#[utoipa::path(get, path = "/auth/api-token", tag = "Authentication", security(("JWT" = [])),
    responses((status = 200, description = "Retrieved", body = NewToken), (status = "4XX", description = "Refused", body = Problem)))]
fn get_api_token() {}

#[utoipa::path(post, path = "/auth/api-token", tag = "Authentication", security(("JWT" = [])),
    responses((status = 201, description = "Success", body = Token)))]
fn create_api_token() {}

#[utoipa::path(put, path = "/auth/api-token", tag = "Authentication", security(("JWT" = [])),
    responses((status = 200, description = "Success", body = Token), (status = "default", description = "Refused")))]
fn rotate_api_token_secret() {}

#[utoipa::path(delete, path = "/auth/api-token", tag = "Authentication", security(("JWT" = [])),
    responses((status = 204, description = "Success")))]
fn delete_api_token() {}

struct Jwt;

impl Modify for Jwt {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        document
            .components
            .as_mut()
            .unwrap()
            .add_security_scheme("JWT", SecurityScheme::Http(scheme));
    }
}

#[derive(OpenApi)]
#[openapi(info(title = "pollination.cloud", version = "0.0.1"), servers((url = "https://api.pollination.cloud")), modifiers(&Jwt),
    paths(login, get_api_token, create_api_token, rotate_api_token_secret, delete_api_token))]
struct Api;

fn main() {
    println!("{}", Api::openapi().to_pretty_json().unwrap());
}
