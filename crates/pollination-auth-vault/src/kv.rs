//! The requests to the secrets engine: read, check-and-set, and destroy what was replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::error::VaultError;
use crate::held::{Outcome, Register};
use crate::server::{Reply, Request};
use crate::session::Session;
use crate::slot::Slot;

/// What the engine answers to a write whose version is not the current one.
const MISMATCH: &str = "check-and-set parameter did not match";

/// What the server answers where nothing is mounted.
const NO_MOUNT: &str = "no handler for route";

/// A KV version 2 secrets engine, and the folder in it that belongs to the store.
pub(crate) struct Kv {
    session: Arc<Session>,
    mount: String,
    folder: String,
    /// Set once the mount was seen to be what it has to be.
    checked: OnceCell<()>,
}

/// One secret of the engine; it keeps everything of one profile.
#[derive(Clone)]
pub(crate) struct Entry {
    kv: Arc<Kv>,
    key: String,
}

#[derive(Deserialize)]
struct Mount {
    #[serde(rename = "type")]
    kind: String,
    options: Option<MountOptions>,
}

#[derive(Deserialize)]
struct MountOptions {
    version: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    /// `None` if this version was deleted.
    data: Option<Slot>,
    metadata: Written,
}

#[derive(Deserialize)]
struct Written {
    version: u64,
}

#[derive(Serialize)]
struct Write<'a> {
    options: Cas,
    data: &'a Slot,
}

#[derive(Serialize)]
struct Cas {
    cas: u64,
}

#[derive(Deserialize)]
struct Versions {
    versions: BTreeMap<u64, Kept>,
}

#[derive(Deserialize)]
struct Kept {
    destroyed: bool,
}

impl Kv {
    pub(crate) fn new(session: Arc<Session>, mount: String, folder: String) -> Arc<Self> {
        Arc::new(Self {
            session,
            mount,
            folder,
            checked: OnceCell::new(),
        })
    }

    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    pub(crate) fn entry(self: &Arc<Self>, key: String) -> Entry {
        Entry {
            kv: self.clone(),
            key,
        }
    }

    /// Checks once that version 2 of KV is mounted there.
    ///
    /// Version 1 takes the same requests, stores something else, and compares nothing.
    async fn check_mount(&self) -> Result<(), VaultError> {
        let check = async {
            let request = Request::get(format!("sys/internal/ui/mounts/{}", self.mount));
            let reply = self.session.send(&request).await?;
            if matches!(reply.status(), 400 | 403 | 404) {
                return Err(self.no_such_mount());
            }
            let found: Mount = reply.data()?;
            let version = found.options.and_then(|options| options.version);
            if found.kind == "kv" && version.as_deref() == Some("2") {
                Ok(())
            } else {
                let mount = self.mount.clone();
                Err(VaultError::NotVersion2 { mount })
            }
        };
        self.checked.get_or_try_init(|| check).await.copied()
    }

    fn no_such_mount(&self) -> VaultError {
        let mount = self.mount.clone();
        VaultError::NoSuchMount { mount }
    }
}

impl Entry {
    /// Returns a path of the secret, as a policy names it.
    pub(crate) fn path(&self, part: &str) -> String {
        let Kv { mount, folder, .. } = &*self.kv;
        format!("{mount}/{part}/{folder}/{}", self.key)
    }

    /// Sends a request that needs these capabilities.
    async fn send(
        &self,
        request: Request,
        capabilities: &'static str,
    ) -> Result<Reply, VaultError> {
        self.kv.check_mount().await?;
        let reply = self.kv.session.send(&request).await?;
        match reply.status() {
            403 => Err(VaultError::Forbidden {
                path: request.path().to_owned(),
                capabilities,
            }),
            // It was there before.
            404 if reply.says(NO_MOUNT) => Err(self.kv.no_such_mount()),
            _ => Ok(reply),
        }
    }

    async fn read_once(&self) -> Result<(u64, Slot), VaultError> {
        let request = Request::get(self.path("data"));
        let reply = self.send(request, "\"read\"").await?;
        match reply.status() {
            200 => {}
            // A version that was deleted has a number that the next write has to name.
            404 if reply.data::<Version>().is_ok() => {}
            404 if reply.has_no_errors() => return Ok((0, Slot::default())),
            _ => return Err(reply.unexpected()),
        }
        let version: Version = reply.data()?;
        Ok((version.metadata.version, version.data.unwrap_or_default()))
    }
}

impl Register for Entry {
    async fn read(&self) -> Result<(u64, Slot), VaultError> {
        self.read_once().await
    }

    async fn read_after(&self, version: u64) -> Result<(u64, Slot), VaultError> {
        let mut pause = self.kv.session.server().pause();
        loop {
            let (found, slot) = self.read_once().await?;
            if found > version {
                return Ok((found, slot));
            }
            if !pause.wait().await {
                let path = self.path("data");
                return Err(VaultError::Outdated { path });
            }
        }
    }

    async fn compare_and_set(&self, version: u64, slot: &Slot) -> Result<Outcome, VaultError> {
        let body = Write {
            options: Cas { cas: version },
            data: slot,
        };
        let request = Request::post(self.path("data"), &body, slot.size());
        let reply = self.send(request, "\"create\", \"update\"").await?;
        match reply.status() {
            200 => {
                let written: Written = reply.data()?;
                Ok(Outcome::Written(written.version))
            }
            400 if reply.says(MISMATCH) => Ok(Outcome::Mismatch {
                was_repeated: reply.was_repeated,
            }),
            _ => Err(reply.unexpected()),
        }
    }

    /// Makes the engine keep one version, and refuse writes without check-and-set.
    async fn prepare(&self) -> Result<(), VaultError> {
        let body = json!({"max_versions": 1, "cas_required": true});
        let request = Request::post(self.path("metadata"), &body, 0);
        let reply = self.send(request, "\"create\", \"update\"").await?;
        if reply.is_success() {
            Ok(())
        } else {
            Err(reply.unexpected())
        }
    }

    /// Destroys the versions that the engine still keeps, as one with a larger `max_versions` of
    /// its own does.
    ///
    /// They are named by their numbers. Deleting the secret as a whole compares nothing: it could
    /// hit what another holder of the lock has written meanwhile.
    async fn destroy_before(&self, version: u64) -> Result<(), VaultError> {
        let request = Request::get(self.path("metadata"));
        let reply = self.send(request, "\"read\"").await?;
        if reply.status() == 404 && reply.has_no_errors() {
            return Ok(());
        }
        let kept: Versions = reply.data()?;
        let old = kept.versions.range(..version);
        let old: Vec<_> = old
            .filter(|(_, kept)| !kept.destroyed)
            .map(|(number, _)| *number)
            .collect();
        if old.is_empty() {
            return Ok(());
        }
        let request = Request::post(self.path("destroy"), &json!({"versions": old}), 0);
        let reply = self.send(request, "\"update\"").await?;
        if reply.is_success() {
            Ok(())
        } else {
            Err(reply.unexpected())
        }
    }
}
