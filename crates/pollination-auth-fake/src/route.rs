//! What a request asks for: an operation, an endpoint of the user's own, or nothing there is.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Method, Request, Response};

use crate::operation::Operation;

/// The path of the control endpoint: no path of the API starts like this.
pub(crate) const CONTROL: &str = "/__control";

/// What answers a request for an endpoint.
pub(crate) type Handler = Arc<dyn Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync>;

/// An endpoint of the user's own, behind the check of the access token.
#[derive(Clone)]
pub(crate) struct Route {
    method: Method,
    path: String,
    handler: Handler,
}

/// What a request asks for.
pub(crate) enum Target {
    Operation(Operation),
    Route(Handler),
    /// The path exists, with these methods.
    OtherMethod {
        allow: String,
    },
    /// The path exists with one slash more or less at its end.
    OtherSlash {
        path: String,
    },
    OtherPath,
}

impl Route {
    /// Creates an endpoint; the error is what is wrong with its path.
    pub(crate) fn new<B: Into<Bytes>>(
        method: Method,
        path: &str,
        handler: impl Fn(Request<Bytes>) -> Response<B> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        if !path.starts_with('/') {
            return Err(format!("a path begins with a slash: {path}"));
        }
        let is_of_the_api = Operation::ALL.iter().any(|one| one.path() == path);
        if is_of_the_api || path.starts_with(CONTROL) {
            return Err(format!("the service itself answers for this path: {path}"));
        }
        let handler = move |request| {
            let mut response = handler(request).map(Into::into);
            // The server sets them, and panics on wrong ones.
            response.headers_mut().remove(CONTENT_LENGTH);
            response.headers_mut().remove(TRANSFER_ENCODING);
            response
        };
        Ok(Self {
            method,
            path: path.to_owned(),
            handler: Arc::new(handler),
        })
    }

    /// Adds an endpoint, in place of an earlier one of the same method and path.
    pub(crate) fn add_to(self, routes: &mut Vec<Self>) {
        routes.retain(|other| other.method != self.method || other.path != self.path);
        routes.push(self);
    }

    /// Returns `true` for its path, in which `{name}` stands for any one segment.
    fn has_path(&self, path: &str) -> bool {
        let mut segments = path.split('/');
        let fits = |own: &str| {
            let is_any = own.starts_with('{') && own.ends_with('}');
            segments
                .next()
                .is_some_and(|segment| segment == own || is_any && !segment.is_empty())
        };
        self.path.split('/').all(fits) && segments.next().is_none()
    }
}

impl Target {
    pub(crate) fn of(method: &Method, path: &str, routes: &[Route]) -> Self {
        if let Some(operation) = operation(method, path) {
            return Self::Operation(operation);
        }
        let route = routes
            .iter()
            .filter(|route| route.method == *method && route.has_path(path))
            // The most exact one.
            .min_by_key(|route| route.path.matches('{').count());
        if let Some(route) = route {
            return Self::Route(Arc::clone(&route.handler));
        }
        let allow = methods(path, routes).join(", ");
        if !allow.is_empty() {
            return Self::OtherMethod { allow };
        }
        let path = other_slash(path);
        match methods(&path, routes).is_empty() {
            true => Self::OtherPath,
            false => Self::OtherSlash { path },
        }
    }

    pub(crate) fn operation(&self) -> Option<Operation> {
        match self {
            Self::Operation(operation) => Some(*operation),
            _ => None,
        }
    }
}

fn operation(method: &Method, path: &str) -> Option<Operation> {
    Operation::ALL
        .into_iter()
        .find(|one| one.path() == path && one.method() == method.as_str())
}

/// Returns the methods that a path has, in the order of the alphabet.
fn methods<'a>(path: &str, routes: &'a [Route]) -> Vec<&'a str> {
    let mut methods: Vec<&str> = Operation::ALL
        .into_iter()
        .filter(|one| one.path() == path)
        .map(Operation::method)
        .collect();
    let routes = routes.iter().filter(|route| route.has_path(path));
    methods.extend(routes.map(|route| route.method.as_str()));
    methods.sort_unstable();
    methods.dedup();
    methods
}

/// Returns the path without the slashes at its end, or with one.
fn other_slash(path: &str) -> String {
    match path.trim_end_matches('/') {
        same if same == path => format!("{path}/"),
        shorter => shorter.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: Method, path: &'static str) -> Route {
        Route::new(method, path, move |_| Response::new(path)).unwrap()
    }

    /// What a request would get: the path of a route, or what else there is.
    fn target(method: Method, path: &str) -> String {
        let mut routes = Vec::new();
        for path in ["/a", "/a/{id}", "/a/{id}/b", "/a/known", "/with/"] {
            route(Method::GET, path).add_to(&mut routes);
        }
        route(Method::POST, "/a").add_to(&mut routes);
        match Target::of(&method, path, &routes) {
            Target::Operation(operation) => operation.to_string(),
            Target::Route(handler) => {
                let body = handler(Request::new(Bytes::new())).into_body();
                String::from_utf8(body.to_vec()).unwrap()
            }
            Target::OtherMethod { allow } => format!("allow {allow}"),
            Target::OtherSlash { path } => format!("to {path}"),
            Target::OtherPath => "none".to_owned(),
        }
    }

    #[test]
    fn a_request_finds_the_most_exact_route() {
        for (method, path, found) in [
            (Method::GET, "/a", "/a"),
            (Method::GET, "/a/7", "/a/{id}"),
            (Method::GET, "/a/known", "/a/known"),
            (Method::GET, "/a/7/b", "/a/{id}/b"),
            (Method::GET, "/a/7/c", "none"),
            (Method::GET, "/a/7/b/c", "none"),
            (Method::PUT, "/a", "allow GET, POST"),
            (Method::PUT, "/a/known", "allow GET"),
            (Method::PATCH, "/auth/login", "allow POST"),
            (
                Method::PATCH,
                "/auth/api-token",
                "allow DELETE, GET, POST, PUT",
            ),
            (Method::GET, "/a/", "to /a"),
            (Method::GET, "/a//", "to /a"),
            (Method::PUT, "/with", "to /with/"),
            (Method::POST, "/auth/login/", "to /auth/login"),
            (Method::GET, "/", "none"),
        ] {
            assert_eq!(target(method.clone(), path), found, "{method} {path}");
        }
    }

    #[test]
    fn every_operation_is_found_by_its_method_and_path() {
        for operation in Operation::ALL {
            let method = operation.method().parse().unwrap();
            assert_eq!(target(method, operation.path()), operation.as_str());
        }
    }

    #[test]
    fn a_route_takes_the_place_of_an_earlier_one_of_its_name() {
        let mut routes = Vec::new();
        for body in ["old", "new"] {
            let route = Route::new(Method::GET, "/a", move |_| Response::new(body));
            route.unwrap().add_to(&mut routes);
        }
        assert_eq!(routes.len(), 1);
        assert_eq!(
            (routes[0].handler)(Request::new(Bytes::new())).into_body(),
            "new"
        );
    }

    #[test]
    fn a_path_that_the_service_itself_has_is_refused() {
        for path in [
            "",
            "a",
            "/auth/login",
            "/auth/api-token",
            "/__control/faults",
        ] {
            let route = Route::new(Method::PATCH, path, |_| Response::new(""));
            assert!(route.is_err(), "{path}");
        }
    }
}
