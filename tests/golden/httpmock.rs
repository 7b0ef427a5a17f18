pub mod operations {
    //! [`When`](::httpmock::When) and [`Then`](::httpmock::Then)
    //! wrappers for each operation. Each can be converted to
    //! its inner type with a call to `into_inner()`. This can
    //! be used to explicitly deviate from permitted values.
    use crate::*;
    pub struct GetApiTokenWhen(::httpmock::When);
    impl GetApiTokenWhen {
        pub fn new(inner: ::httpmock::When) -> Self {
            Self(
                inner
                    .method(::httpmock::Method::GET)
                    .path_matches(regex::Regex::new("^/auth/api-token$").unwrap()),
            )
        }
        pub fn into_inner(self) -> ::httpmock::When {
            self.0
        }
    }
    pub struct GetApiTokenThen(::httpmock::Then);
    impl GetApiTokenThen {
        pub fn new(inner: ::httpmock::Then) -> Self {
            Self(inner)
        }
        pub fn into_inner(self) -> ::httpmock::Then {
            self.0
        }
        pub fn ok(self, value: &types::NewToken) -> Self {
            Self(
                self
                    .0
                    .status(200u16)
                    .header("content-type", "application/json")
                    .json_body_obj(value),
            )
        }
        pub fn unauthorized(self) -> Self {
            Self(self.0.status(401u16))
        }
        pub fn forbidden(self) -> Self {
            Self(self.0.status(403u16))
        }
        pub fn not_found(self) -> Self {
            Self(self.0.status(404u16))
        }
        pub fn internal_server_error(self) -> Self {
            Self(self.0.status(500u16))
        }
    }
    pub struct RotateApiTokenSecretWhen(::httpmock::When);
    impl RotateApiTokenSecretWhen {
        pub fn new(inner: ::httpmock::When) -> Self {
            Self(
                inner
                    .method(::httpmock::Method::PUT)
                    .path_matches(regex::Regex::new("^/auth/api-token$").unwrap()),
            )
        }
        pub fn into_inner(self) -> ::httpmock::When {
            self.0
        }
    }
    pub struct RotateApiTokenSecretThen(::httpmock::Then);
    impl RotateApiTokenSecretThen {
        pub fn new(inner: ::httpmock::Then) -> Self {
            Self(inner)
        }
        pub fn into_inner(self) -> ::httpmock::Then {
            self.0
        }
        pub fn ok(self, value: &types::Token) -> Self {
            Self(
                self
                    .0
                    .status(200u16)
                    .header("content-type", "application/json")
                    .json_body_obj(value),
            )
        }
        pub fn unauthorized(self) -> Self {
            Self(self.0.status(401u16))
        }
        pub fn forbidden(self) -> Self {
            Self(self.0.status(403u16))
        }
        pub fn not_found(self) -> Self {
            Self(self.0.status(404u16))
        }
        pub fn internal_server_error(self) -> Self {
            Self(self.0.status(500u16))
        }
    }
    pub struct CreateApiTokenWhen(::httpmock::When);
    impl CreateApiTokenWhen {
        pub fn new(inner: ::httpmock::When) -> Self {
            Self(
                inner
                    .method(::httpmock::Method::POST)
                    .path_matches(regex::Regex::new("^/auth/api-token$").unwrap()),
            )
        }
        pub fn into_inner(self) -> ::httpmock::When {
            self.0
        }
    }
    pub struct CreateApiTokenThen(::httpmock::Then);
    impl CreateApiTokenThen {
        pub fn new(inner: ::httpmock::Then) -> Self {
            Self(inner)
        }
        pub fn into_inner(self) -> ::httpmock::Then {
            self.0
        }
        pub fn created(self, value: &types::Token) -> Self {
            Self(
                self
                    .0
                    .status(201u16)
                    .header("content-type", "application/json")
                    .json_body_obj(value),
            )
        }
    }
    pub struct DeleteApiTokenWhen(::httpmock::When);
    impl DeleteApiTokenWhen {
        pub fn new(inner: ::httpmock::When) -> Self {
            Self(
                inner
                    .method(::httpmock::Method::DELETE)
                    .path_matches(regex::Regex::new("^/auth/api-token$").unwrap()),
            )
        }
        pub fn into_inner(self) -> ::httpmock::When {
            self.0
        }
    }
    pub struct DeleteApiTokenThen(::httpmock::Then);
    impl DeleteApiTokenThen {
        pub fn new(inner: ::httpmock::Then) -> Self {
            Self(inner)
        }
        pub fn into_inner(self) -> ::httpmock::Then {
            self.0
        }
        pub fn no_content(self) -> Self {
            Self(self.0.status(204u16))
        }
        pub fn unauthorized(self) -> Self {
            Self(self.0.status(401u16))
        }
        pub fn forbidden(self) -> Self {
            Self(self.0.status(403u16))
        }
        pub fn not_found(self) -> Self {
            Self(self.0.status(404u16))
        }
        pub fn internal_server_error(self) -> Self {
            Self(self.0.status(500u16))
        }
    }
    pub struct LoginWhen(::httpmock::When);
    impl LoginWhen {
        pub fn new(inner: ::httpmock::When) -> Self {
            Self(
                inner
                    .method(::httpmock::Method::POST)
                    .path_matches(regex::Regex::new("^/auth/login$").unwrap()),
            )
        }
        pub fn into_inner(self) -> ::httpmock::When {
            self.0
        }
        pub fn body(self, value: &types::Token) -> Self {
            Self(self.0.json_body_obj(value))
        }
    }
    pub struct LoginThen(::httpmock::Then);
    impl LoginThen {
        pub fn new(inner: ::httpmock::Then) -> Self {
            Self(inner)
        }
        pub fn into_inner(self) -> ::httpmock::Then {
            self.0
        }
        pub fn accepted(self, value: &types::Auth0TokenResponse) -> Self {
            Self(
                self
                    .0
                    .status(202u16)
                    .header("content-type", "application/json")
                    .json_body_obj(value),
            )
        }
        pub fn unprocessable_entity(self, value: &types::HttpValidationError) -> Self {
            Self(
                self
                    .0
                    .status(422u16)
                    .header("content-type", "application/json")
                    .json_body_obj(value),
            )
        }
    }
}
/// An extension trait for [`MockServer`](::httpmock::MockServer) that
/// adds a method for each operation. These are the equivalent of
/// type-checked [`mock()`](::httpmock::MockServer::mock) calls.
pub trait MockServerExt {
    fn get_api_token<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
    where
        F: FnOnce(operations::GetApiTokenWhen, operations::GetApiTokenThen);
    fn rotate_api_token_secret<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
    where
        F: FnOnce(
            operations::RotateApiTokenSecretWhen,
            operations::RotateApiTokenSecretThen,
        );
    fn create_api_token<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
    where
        F: FnOnce(operations::CreateApiTokenWhen, operations::CreateApiTokenThen);
    fn delete_api_token<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
    where
        F: FnOnce(operations::DeleteApiTokenWhen, operations::DeleteApiTokenThen);
    fn login<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
    where
        F: FnOnce(operations::LoginWhen, operations::LoginThen);
}
impl MockServerExt for ::httpmock::MockServer {
    fn get_api_token<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
    where
        F: FnOnce(operations::GetApiTokenWhen, operations::GetApiTokenThen),
    {
        self.mock(|when, then| {
            config_fn(
                operations::GetApiTokenWhen::new(when),
                operations::GetApiTokenThen::new(then),
            )
        })
    }
    fn rotate_api_token_secret<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
    where
        F: FnOnce(
            operations::RotateApiTokenSecretWhen,
            operations::RotateApiTokenSecretThen,
        ),
    {
        self.mock(|when, then| {
            config_fn(
                operations::RotateApiTokenSecretWhen::new(when),
                operations::RotateApiTokenSecretThen::new(then),
            )
        })
    }
    fn create_api_token<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
    where
        F: FnOnce(operations::CreateApiTokenWhen, operations::CreateApiTokenThen),
    {
        self.mock(|when, then| {
            config_fn(
                operations::CreateApiTokenWhen::new(when),
                operations::CreateApiTokenThen::new(then),
            )
        })
    }
    fn delete_api_token<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
    where
        F: FnOnce(operations::DeleteApiTokenWhen, operations::DeleteApiTokenThen),
    {
        self.mock(|when, then| {
            config_fn(
                operations::DeleteApiTokenWhen::new(when),
                operations::DeleteApiTokenThen::new(then),
            )
        })
    }
    fn login<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
    where
        F: FnOnce(operations::LoginWhen, operations::LoginThen),
    {
        self.mock(|when, then| {
            config_fn(operations::LoginWhen::new(when), operations::LoginThen::new(then))
        })
    }
}
