//! Angarium, a mail server.
