//! The web page, built by Vite into `api/web/dist` and carried inside the binary.

use axum::{
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};

use crate::error::ApiError;

/// Scripts, styles and data from this origin only. MapLibre makes its worker from a blob.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; worker-src 'self' blob:; child-src blob:; \
    img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; connect-src 'self'; media-src 'self' blob:; object-src 'none'; frame-ancestors 'none'; \
    base-uri 'self'; form-action 'self'";

#[derive(rust_embed::RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dist;

/// Serves a page or one of its files. Pages carry no data: what they show they fetch, and fetching needs a session.
pub(crate) async fn serve(method: Method, uri: Uri) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return method_not_allowed().await;
    }
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") {
        return ApiError::not_found("route").into_response();
    }
    let (name, is_page) = match path {
        "" | "index.html" | "public" => ("index.html", true),
        "phone" | "phone.html" => ("phone.html", true),
        // A request's own address carries its number; the page itself is the same.
        resident if resident == "109" || resident.starts_with("109/") => ("resident.html", true),
        file => (file, false),
    };
    match Dist::get(name) {
        Some(file) => {
            let mime = mime_guess::from_path(name).first_or_octet_stream();
            let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
            let mime = HeaderValue::from_str(mime.as_ref()).unwrap_or(HeaderValue::from_static("application/octet-stream"));
            ([(header::CONTENT_TYPE, mime), (header::CACHE_CONTROL, HeaderValue::from_static(cache))], file.data).into_response()
        }
        None if is_page => (
            StatusCode::SERVICE_UNAVAILABLE,
            Html("<h1>Qorgan</h1><p>This binary was built without its web page. Run <code>make web</code> and build again.</p>"),
        )
            .into_response(),
        None => ApiError::not_found("page").into_response(),
    }
}

pub(crate) async fn method_not_allowed() -> Response {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This route does not know that method.").into_response()
}

/// Whether this binary carries its page.
pub fn is_built() -> bool {
    Dist::get("index.html").is_some()
}
