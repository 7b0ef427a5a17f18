//! poem-openapi: derived objects, and replies as enumerations of statuses.
use poem_openapi::auth::Bearer;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi, OpenApiService, SecurityScheme, Tags};

#[derive(Object)]
struct Token {
    id: String,
    secret: Option<String>,
}

#[derive(Object)]
struct NewToken {
    id: String,
}

#[derive(Object)]
struct Auth0TokenResponse {
    access_token: String,
    token_type: String,
    expires_in: i64,
}

#[derive(Tags)]
enum Tag {
    Authentication,
}

#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "JWT", bearer_format = "JWT")]
struct Jwt(Bearer);

#[derive(ApiResponse)]
enum Login {
    /// Success
    #[oai(status = 202)]
    Accepted(Json<Auth0TokenResponse>),
    /// Unauthorized
    #[oai(status = 401)]
    Unauthorized,
}

#[derive(ApiResponse)]
enum Created {
    /// Success
    #[oai(status = 201)]
    Created(Json<Token>),
}

#[derive(ApiResponse)]
enum Deleted {
    /// Success
    #[oai(status = 204)]
    NoContent,
}

struct Api;

#[OpenApi(tag = "Tag::Authentication")]
impl Api {
    /// Login with API Token
    #[oai(path = "/auth/login", method = "post", operation_id = "login")]
    async fn login(&self, _token: Json<Token>) -> Login {
        Login::Unauthorized
    }

    /// Get your API Token ID
    #[oai(
        path = "/auth/api-token",
        method = "get",
        operation_id = "get_api_token"
    )]
    async fn get_api_token(&self, _jwt: Jwt) -> Json<NewToken> {
        unreachable!("the program prints its document and serves nothing")
    }

    /// Create an API Token
    #[oai(
        path = "/auth/api-token",
        method = "post",
        operation_id = "create_api_token"
    )]
    async fn create_api_token(&self, _jwt: Jwt) -> Created {
        unreachable!("the program prints its document and serves nothing")
    }

    /// Rotate an API token secret
    #[oai(
        path = "/auth/api-token",
        method = "put",
        operation_id = "rotate_api_token_secret"
    )]
    async fn rotate_api_token_secret(&self, _jwt: Jwt) -> Json<Token> {
        unreachable!("the program prints its document and serves nothing")
    }

    /// Delete an API Token
    #[oai(
        path = "/auth/api-token",
        method = "delete",
        operation_id = "delete_api_token"
    )]
    async fn delete_api_token(&self, _jwt: Jwt) -> Deleted {
        Deleted::NoContent
    }
}

fn main() {
    let service = OpenApiService::new(Api, "pollination.cloud", "0.0.1")
        .server("https://api.pollination.cloud");
    println!("{}", service.spec());
}
