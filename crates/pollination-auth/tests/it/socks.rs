//! SOCKS proxies, as the feature `socks` adds them.

use std::net::{Ipv4Addr, SocketAddr};

use pollination_auth::reqwest::Proxy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::listener::Listener;
use crate::support::{Answer, OPERATIONS, call, single};

/// Accepts one connection, and connects it to the IPv4 address that the client names (RFC 1928).
async fn serve_one(proxy: TcpListener) -> SocketAddr {
    const VERSION: u8 = 5;
    const NO_AUTHENTICATION: u8 = 0;
    const CONNECT_TO_IPV4: [u8; 4] = [VERSION, 1, 0, 1];
    let (mut client, _) = proxy.accept().await.unwrap();
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting).await.unwrap();
    let mut methods = vec![0; greeting[1].into()];
    client.read_exact(&mut methods).await.unwrap();
    assert_eq!(greeting[0], VERSION);
    assert!(methods.contains(&NO_AUTHENTICATION), "{methods:?}");
    client
        .write_all(&[VERSION, NO_AUTHENTICATION])
        .await
        .unwrap();
    let mut request = [0; 4];
    client.read_exact(&mut request).await.unwrap();
    assert_eq!(request, CONNECT_TO_IPV4);
    let host = Ipv4Addr::from(client.read_u32().await.unwrap());
    let target = SocketAddr::from((host, client.read_u16().await.unwrap()));
    let mut server = TcpStream::connect(target).await.unwrap();
    // Connected; nobody asks from which address.
    let connected = [VERSION, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    client.write_all(&connected).await.unwrap();
    tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
    target
}

#[tokio::test]
async fn every_operation_goes_through_a_socks_proxy_that_is_set() {
    for operation in OPERATIONS {
        let server = Listener::start(Answer::to).await;
        let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let through = format!("socks5://{}", proxy.local_addr().unwrap());
        let through = Proxy::all(through).unwrap();
        let client = single(operation, server.base_url())
            .configure_http(move |http| http.tls_certs_only([]).proxy(through.clone()));
        let client = client.build().unwrap();
        let (target, called) = tokio::join!(serve_one(proxy), call(&client, operation));
        called.unwrap();
        assert_eq!(format!("http://{target}"), server.base_url());
        assert!(server.seen()[0].is(operation));
    }
}
