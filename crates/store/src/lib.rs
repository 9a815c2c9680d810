//! The one place that touches the disk: commands, footprint, apply, engines, blobs.
