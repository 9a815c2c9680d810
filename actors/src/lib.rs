//! Who does what, when: the living parts of the server.
