//! Access tokens: signed JWTs (RFC 7519) with HS256 (RFC 7518, section 3.2), minted and verified.
//!
//! No table of tokens is kept: a token contains all that is needed to verify it, as those of the
//! service do.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::clock::{Millis, millis};
use crate::random;

/// The `iss` of every access token; `.invalid` never names a host (RFC 2606).
pub(crate) const ISSUER: &str = "https://pollination-auth-fake.invalid/";

/// The `sub` of every access token: there is one account.
const SUBJECT: &str = "fake|the-account";

/// The one algorithm. A token that names another is refused, `none` above all.
const ALGORITHM: &str = "HS256";

/// Milliseconds in a second; JWT dates are in seconds.
const MILLIS_PER_SECOND: u64 = 1000;

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: u64,
    exp: u64,
    jti: String,
    fake: PrivateClaims,
}

/// A claim that only this service reads.
#[derive(Serialize, Deserialize)]
struct PrivateClaims {
    /// The expiry to the millisecond.
    ///
    /// `exp` alone would take up to a second off `expires_in`.
    exp_millis: Millis,
    generation: u64,
}

/// Why an access token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Missing,
    Malformed,
    WrongSignature,
    Expired,
}

impl Refusal {
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::Missing => "no bearer token",
            Self::Malformed => "the bearer token is not an access token of this service",
            Self::WrongSignature => "the signature of the access token is wrong",
            Self::Expired => "the access token has expired",
        }
    }
}

/// Mints and verifies access tokens.
pub(crate) struct Issuer {
    key: [u8; random::KEY_LENGTH],
    /// Tokens of an earlier generation count as expired.
    generation: u64,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        Self {
            key: random::key(),
            generation: 0,
        }
    }

    pub(crate) fn change_key(&mut self) {
        self.key = random::key();
    }

    pub(crate) fn expire_all(&mut self) {
        self.generation += 1;
    }

    pub(crate) fn mint(&self, now: Millis, expires_in: Duration) -> serde_json::Result<String> {
        let iat = now / MILLIS_PER_SECOND;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: SUBJECT.to_owned(),
            iat,
            exp: iat.saturating_add(expires_in.as_secs()),
            jti: random::jti(),
            fake: PrivateClaims {
                exp_millis: now.saturating_add(millis(expires_in)),
                generation: self.generation,
            },
        };
        let header = Header {
            alg: ALGORITHM.to_owned(),
            typ: "JWT".to_owned(),
        };
        let signed = format!("{}.{}", encode(&header)?, encode(&claims)?);
        let signature = self.mac(&signed).finalize().into_bytes();
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    pub(crate) fn verify(&self, token: &str, now: Millis) -> Result<(), Refusal> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let header: Header = decode(header)?;
        if header.alg != ALGORITHM {
            return Err(Refusal::Malformed);
        }
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| Refusal::Malformed)?;
        self.mac(signed)
            .verify_slice(&signature)
            .map_err(|_| Refusal::WrongSignature)?;
        // Only now is the token this service's own, and worth believing.
        let claims: Claims = decode(claims)?;
        if claims.fake.generation != self.generation || now >= claims.fake.exp_millis {
            return Err(Refusal::Expired);
        }
        Ok(())
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(signed.as_bytes());
        mac
    }
}

fn encode(part: &impl Serialize) -> serde_json::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(part)?))
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, Refusal> {
    let json = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Refusal::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some time with a fraction of a second.
    const NOW: Millis = 1_700_000_000_900;
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_signature_is_the_one_of_the_standard() {
        // RFC 4231, test case 2, in the form of a key that was filled up with zeros (RFC 2104).
        let mut key = [0; random::KEY_LENGTH];
        key[..4].copy_from_slice(b"Jefe");
        let issuer = Issuer { key, generation: 0 };
        let digest: Vec<_> = issuer
            .mac("what do ya want for nothing?")
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            digest.concat(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn claims_say_who_when_and_how_long() {
        let token = Issuer::new().mint(NOW, MINUTE).unwrap();
        let claims = token.split('.').nth(1).unwrap();
        let claims: Claims = decode(claims).unwrap();
        assert_eq!(
            (claims.iss.as_str(), claims.sub.as_str()),
            (ISSUER, SUBJECT)
        );
        assert_eq!((claims.iat, claims.exp), (1_700_000_000, 1_700_000_060));
    }

    #[test]
    fn a_token_lives_as_long_as_it_says_and_not_a_millisecond_more() {
        let issuer = Issuer::new();
        let token = issuer.mint(NOW, MINUTE).unwrap();
        assert_eq!(issuer.verify(&token, NOW + 59_999), Ok(()));
        assert_eq!(issuer.verify(&token, NOW + 60_000), Err(Refusal::Expired));
    }

    #[test]
    fn a_token_of_another_key_is_refused() {
        let mut issuer = Issuer::new();
        let token = issuer.mint(NOW, MINUTE).unwrap();
        issuer.change_key();
        assert_eq!(issuer.verify(&token, NOW), Err(Refusal::WrongSignature));
    }

    #[test]
    fn a_token_that_names_another_algorithm_is_refused() {
        let issuer = Issuer::new();
        let token = issuer.mint(NOW, MINUTE).unwrap();
        let (_, rest) = token.split_once('.').unwrap();
        for alg in ["none", "HS512", "hs256"] {
            let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#));
            let forged = format!("{header}.{rest}");
            assert_eq!(
                issuer.verify(&forged, NOW),
                Err(Refusal::Malformed),
                "{alg}"
            );
        }
    }

    #[test]
    fn a_changed_claim_breaks_the_signature() {
        let issuer = Issuer::new();
        let token = issuer.mint(NOW, MINUTE).unwrap();
        let other = issuer.mint(NOW, MINUTE * 60).unwrap();
        let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
        let (token, other) = (parts(&token), parts(&other));
        let forged = [&*token[0], &*other[1], &*token[2]].join(".");
        assert_eq!(issuer.verify(&forged, NOW), Err(Refusal::WrongSignature));
    }

    #[test]
    fn no_token_comes_twice() {
        let issuer = Issuer::new();
        assert_ne!(
            issuer.mint(NOW, MINUTE).unwrap(),
            issuer.mint(NOW, MINUTE).unwrap()
        );
    }
}
