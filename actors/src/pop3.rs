//! POP3: sessions of the listeners that give mail back.

pub mod session;
