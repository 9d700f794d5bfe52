//! The chat contract on axum: rooms, a task per connection, several frames per write.

mod chat;
mod connection;
mod protocol;
mod tuned;

use std::{env, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{
        Request, State,
        ws::{Utf8Bytes, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
    serve::ListenerExt,
};
use bytes::Bytes;
use tokio::{
    net::{TcpListener, TcpSocket, lookup_host},
    signal::unix::{SignalKind, signal},
};

use crate::chat::{Chat, Message, Stats};

/// How long clients may take to answer the close on SIGTERM.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> io::Result<()> {
    match env::var("WEBSOCKETS").as_deref() {
        Err(_) | Ok("tungstenite") => serve::<Utf8Bytes>(get(upgrade)).await,
        Ok("fastwebsockets") => serve::<Bytes>(get(upgrade_tuned)).await,
        Ok(other) => Err(io::Error::other(format!(
            "WEBSOCKETS is {other}: expected tungstenite or fastwebsockets"
        ))),
    }
}

async fn serve<M: Message>(upgrade: MethodRouter<Arc<Chat<M>>>) -> io::Result<()> {
    let listener = listen().await?.tap_io(|tcp| {
        // Fails for a client that is gone already, which the first read will tell.
        let _ = tcp.set_nodelay(true);
    });
    let chat = Arc::new(Chat::default());
    let app = Router::new()
        .route("/ws", upgrade)
        .route("/stats", get(stats::<M>))
        .with_state(chat.clone());

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        served = async { axum::serve(listener, app).await } => served?,
        _ = terminate.recv() => chat.shut_down(CLOSE_WAIT).await,
    }
    Ok(())
}

async fn listen() -> io::Result<TcpListener> {
    let host = env::var("HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port =
        env::var("PORT").map_err(|_| io::Error::other("PORT is not set: expected a port to listen on"))?;
    let address: SocketAddr = lookup_host(format!("{host}:{port}"))
        .await?
        .next()
        .ok_or_else(|| io::Error::other(format!("HOST is {host}: no address")))?;
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    // The kernel cuts this down to net.core.somaxconn.
    socket.listen(4096)
}

async fn stats<M: Message>(State(chat): State<Arc<Chat<M>>>) -> Json<Stats> {
    Json(chat.stats())
}

async fn upgrade(
    State(chat): State<Arc<Chat<Utf8Bytes>>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Some(refusal) = refuse(&headers) {
        return refusal;
    }
    match upgrade {
        Err(rejection) => rejection.into_response(),
        Ok(upgrade) => upgrade
            .max_message_size(protocol::MAX_MESSAGE)
            .max_frame_size(protocol::MAX_MESSAGE)
            // Allocated for every connection; the default is 128 KiB.
            .read_buffer_size(4 << 10)
            .on_upgrade(|socket| connection::run(socket, chat)),
    }
}

async fn upgrade_tuned(State(chat): State<Arc<Chat<Bytes>>>, mut request: Request) -> Response {
    if let Some(refusal) = refuse(request.headers()) {
        return refusal;
    }
    if !fastwebsockets::upgrade::is_upgrade_request(&request) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    match fastwebsockets::upgrade::upgrade(&mut request) {
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
        Ok((response, upgraded)) => {
            tokio::spawn(tuned::run(upgraded, chat));
            response.map(Body::new)
        }
    }
}

/// What neither library looks at (RFC 6455, sections 4.2.1 and 4.4).
fn refuse(headers: &HeaderMap) -> Option<Response> {
    let header = |name| headers.get(name).map(HeaderValue::as_bytes);
    if header(header::UPGRADE).is_none() || header(header::SEC_WEBSOCKET_VERSION) != Some(b"13") {
        let accepted = [
            (header::UPGRADE, "websocket"),
            (header::CONNECTION, "upgrade"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
        ];
        return Some((StatusCode::UPGRADE_REQUIRED, accepted).into_response());
    }
    if !header(header::SEC_WEBSOCKET_KEY).is_some_and(protocol::is_key) {
        return Some(StatusCode::BAD_REQUEST.into_response());
    }
    None
}
