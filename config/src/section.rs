//! The table of one section: its keys with default, limits and documentation, written once and used for the
//! struct, the reading, the errors and the sample.

use crate::found::Found;
use crate::setting::Refused;

/// One key of a section, as the sample shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// The name within its section.
    pub(crate) name: &'static str,
    /// What it is, its unit and the reason of its default, line by line.
    pub(crate) about: &'static [&'static str],
    /// An example in TOML, or several with "or" between them, or nothing.
    pub(crate) example: &'static str,
}

/// A section: a table of the configuration.
pub(crate) trait Section {
    /// What the section is about, line by line.
    fn about(&self) -> &'static [&'static str];

    /// Its keys in the order of the sample.
    fn keys(&self) -> &'static [Key];

    /// Takes the value of one key.
    fn set(&mut self, key: &str, found: &Found) -> Result<(), Refused>;

    /// The value of one key as TOML; `None` where it is absent or the key unknown.
    fn print(&self, key: &str) -> Option<String>;
}

/// Declares a section: `key: Type = default, from..=to;` with the documentation above it.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $key:ident: $type:ty = $default:expr $(, $limits:expr)?;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                ///
                #[doc = concat!("Default: `", stringify!($default), "`.", $(" Limits: `", stringify!($limits), "`.")?)]
                pub $key: $type,
            )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)+ }
            }
        }

        impl $crate::section::Section for $name {
            fn about(&self) -> &'static [&'static str] {
                &[$($about),+]
            }

            fn keys(&self) -> &'static [$crate::section::Key] {
                &[$(
                    $crate::section::Key {
                        name: stringify!($key),
                        about: &[$($doc),+],
                        example: <$type as $crate::setting::Setting>::EXAMPLE,
                    },
                )+]
            }

            fn set(&mut self, key: &str, found: &$crate::found::Found) -> Result<(), $crate::setting::Refused> {
                match key {
                    $( stringify!($key) => self.$key = $crate::section::read_key!($type, found $(, $limits)?)?, )+
                    _ => return Err($crate::setting::Refused::Unknown),
                }
                Ok(())
            }

            fn print(&self, key: &str) -> Option<String> {
                match key {
                    $( stringify!($key) => $crate::setting::Setting::print(&self.$key), )+
                    _ => None,
                }
            }
        }
    };
}

/// Reads one value, within its limits where the table has some.
macro_rules! read_key {
    ($type:ty, $found:ident) => {
        $crate::setting::read::<$type>($found)
    };
    ($type:ty, $found:ident, $limits:expr) => {
        $crate::setting::read_within::<$type>($found, &($limits))
    };
}

pub(crate) use {read_key, section};
