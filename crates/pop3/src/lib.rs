//! POP3 as a machine without input and output.
