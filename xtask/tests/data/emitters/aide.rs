//! aide: axum handlers whose types are described by schemars.
use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with, post_with, put_with};
use aide::openapi::{Info, OpenApi, SecurityScheme, Server};
use axum::Json;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Token {
    id: String,
    secret: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct NewToken {
    id: String,
}

#[derive(Serialize, JsonSchema)]
struct Auth0TokenResponse {
    access_token: String,
    token_type: String,
    expires_in: i64,
}

async fn login(Json(_): Json<Token>) -> (StatusCode, Json<Auth0TokenResponse>) {
    unreachable!("the program prints its document and serves nothing")
}

async fn get_api_token() -> Json<NewToken> {
    unreachable!("the program prints its document and serves nothing")
}

async fn create_api_token() -> (StatusCode, Json<Token>) {
    unreachable!("the program prints its document and serves nothing")
}

async fn rotate_api_token_secret() -> Json<Token> {
    unreachable!("the program prints its document and serves nothing")
}

async fn nothing() -> StatusCode {
    StatusCode::NO_CONTENT
}

fn main() {
    let mut document = OpenApi {
        info: Info {
            title: "pollination.cloud".to_owned(),
            version: "0.0.1".to_owned(),
            ..Info::default()
        },
        servers: vec![Server {
            url: "https://api.pollination.cloud".to_owned(),
            ..Server::default()
        }],
        ..OpenApi::default()
    };
    let router: ApiRouter = ApiRouter::new()
        .api_route(
            "/auth/login",
            post_with(login, |it| {
                it.id("login")
                    .tag("Authentication")
                    .response::<202, Json<Auth0TokenResponse>>()
            }),
        )
        .api_route(
            "/auth/api-token",
            get_with(get_api_token, |it| {
                it.id("get_api_token")
                    .tag("Authentication")
                    .security_requirement("JWT")
                    .response::<200, Json<NewToken>>()
            })
            .merge(post_with(create_api_token, |it| {
                it.id("create_api_token")
                    .tag("Authentication")
                    .security_requirement("JWT")
                    .response::<201, Json<Token>>()
            }))
            .merge(put_with(rotate_api_token_secret, |it| {
                it.id("rotate_api_token_secret")
                    .tag("Authentication")
                    .security_requirement("JWT")
                    .response::<200, Json<Token>>()
            }))
            .merge(delete_with(nothing, |it| {
                it.id("delete_api_token")
                    .tag("Authentication")
                    .security_requirement("JWT")
                    .response::<204, ()>()
            })),
        );
    let _: axum::Router = router.finish_api_with(&mut document, |api| {
        api.security_scheme(
            "JWT",
            SecurityScheme::Http {
                scheme: "bearer".to_owned(),
                bearer_format: Some("JWT".to_owned()),
                description: None,
                extensions: Default::default(),
            },
        )
    });
    println!("{}", serde_json::to_string_pretty(&document).unwrap());
}
