//! What a statement is given: values with their types, which are told to the server so that it need not be asked.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::expiry::Timestamp;

/// What the text of a `jsonb` begins with on the wire.
pub(super) const JSONB_VERSION: u8 = 1;

/// A value of one of the types that the functions take.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Int(Option<i64>),
    Flag(bool),
    Texts(Vec<&'a str>),
    Json(String),
    /// `None` is a null in the array.
    AllBytes(Vec<Option<&'a [u8]>>),
    Flags(Vec<bool>),
}

/// A value, and the name of the parameter that it is for.
pub(super) type Argument<'a> = (&'static str, Value<'a>);

impl Value<'_> {
    /// An id: 64 bits, which PostgreSQL shows with a sign.
    pub(super) const fn id(id: u64) -> Self {
        Self::Int(Some(id.cast_signed()))
    }

    pub(super) fn time(time: Option<Timestamp>) -> Self {
        Self::Int(time.map(Timestamp::as_millis))
    }

    pub(super) const fn kind(&self) -> Type {
        match self {
            Self::Text(_) => Type::TEXT,
            Self::Bytes(_) => Type::BYTEA,
            Self::Int(_) => Type::INT8,
            Self::Flag(_) => Type::BOOL,
            Self::Texts(_) => Type::TEXT_ARRAY,
            Self::Json(_) => Type::JSONB,
            Self::AllBytes(_) => Type::BYTEA_ARRAY,
            Self::Flags(_) => Type::BOOL_ARRAY,
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Text(value) => value.to_sql(kind, out),
            Self::Bytes(value) => value.to_sql(kind, out),
            Self::Int(value) => value.to_sql(kind, out),
            Self::Flag(value) => value.to_sql(kind, out),
            Self::Texts(value) => value.to_sql(kind, out),
            Self::Json(value) => {
                out.put_u8(JSONB_VERSION);
                value.to_sql(&Type::TEXT, out)
            }
            Self::AllBytes(value) => value.to_sql(kind, out),
            Self::Flags(value) => value.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    to_sql_checked!();
}
