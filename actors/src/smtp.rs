//! SMTP: sessions of the listeners that take mail.

pub mod session;
