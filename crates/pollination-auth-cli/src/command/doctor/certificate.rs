//! What a server's certificate says of itself. Whether it is trusted is decided by TLS.

use std::time::SystemTime;

use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::time::rfc3339;

/// Returns who has issued a certificate, and until when it is valid.
pub(super) fn describe(der: &[u8]) -> Option<String> {
    let certificate = Certificate::from_der(der).ok()?;
    let content = certificate.tbs_certificate();
    // Anybody can make a certificate, with any text in it.
    let issuer = content.issuer().to_string().escape_debug().to_string();
    let end = content.validity().not_after.to_unix_duration();
    let end = SystemTime::UNIX_EPOCH.checked_add(end)?;
    Some(format!("issued by {issuer}, valid until {}", rfc3339(end)))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    #[test]
    fn the_issuer_is_named_and_can_forge_nothing() {
        let mut params = CertificateParams::new(vec!["h.example".to_owned()]).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "A CA\n\u{1b}[31m");
        params.not_after = rcgen::date_time_ymd(2040, 1, 2);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let text = describe(certificate.der()).unwrap();
        assert!(
            text.contains("A CA") && text.ends_with("valid until 2040-01-02T00:00:00Z"),
            "{text}"
        );
        assert!(!text.contains('\n') && !text.contains('\u{1b}'), "{text}");
        assert_eq!(describe(b"no certificate"), None);
    }
}
