//! The words of mail: addresses, envelopes, header fields, MIME structure, ids.
