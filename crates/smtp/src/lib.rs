//! SMTP as a machine without input and output.
