//! The chat contract on axum: rooms, a task per connection, several frames per write.

mod chat;
mod connection;
mod protocol;

use std::{env, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use tokio::{
    net::{TcpListener, TcpSocket, lookup_host},
    signal::unix::{SignalKind, signal},
};

use crate::chat::{Chat, Stats};

/// How long clients may take to answer the close on SIGTERM.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = listen().await?.tap_io(|tcp| {
        // Fails for a client that is gone already, which the first read will tell.
        let _ = tcp.set_nodelay(true);
    });
    let chat = Arc::new(Chat::default());
    let app = Router::new()
        .route("/ws", get(upgrade))
        .route("/stats", get(stats))
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

async fn stats(State(chat): State<Arc<Chat>>) -> Json<Stats> {
    Json(chat.stats())
}

async fn upgrade(
    State(chat): State<Arc<Chat>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    // What axum does not look at (RFC 6455, sections 4.2.1 and 4.4).
    let header = |name| headers.get(name).map(HeaderValue::as_bytes);
    if header(header::UPGRADE).is_none() || header(header::SEC_WEBSOCKET_VERSION) != Some(b"13") {
        let accepted = [
            (header::UPGRADE, "websocket"),
            (header::CONNECTION, "upgrade"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
        ];
        return (StatusCode::UPGRADE_REQUIRED, accepted).into_response();
    }
    if !header(header::SEC_WEBSOCKET_KEY).is_some_and(protocol::is_key) {
        return StatusCode::BAD_REQUEST.into_response();
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
