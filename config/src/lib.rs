//! The settings: typed, validated, pure data.
