/// The headers by which sessions travel. Each framework has them as constants, which cost no look at their letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    Authorization,
    CacheControl,
    Cookie,
    SetCookie,
    Vary,
}

impl Header {
    /// Its name, in lower case.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::CacheControl => "cache-control",
            Self::Cookie => "cookie",
            Self::SetCookie => "set-cookie",
            Self::Vary => "vary",
        }
    }
}

/// Says which constants of a framework they are.
macro_rules! constants_of {
    ($($framework:ident)::+) => {
        impl From<$crate::web::Header> for $($framework)::+::HeaderName {
            fn from(header: $crate::web::Header) -> Self {
                match header {
                    $crate::web::Header::Authorization => $($framework)::+::AUTHORIZATION,
                    $crate::web::Header::CacheControl => $($framework)::+::CACHE_CONTROL,
                    $crate::web::Header::Cookie => $($framework)::+::COOKIE,
                    $crate::web::Header::SetCookie => $($framework)::+::SET_COOKIE,
                    $crate::web::Header::Vary => $($framework)::+::VARY,
                }
            }
        }
    };
}
pub(crate) use constants_of;
