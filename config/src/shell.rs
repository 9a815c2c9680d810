//! The section `shell`: who may ask a running server for something.

use crate::section::section;

section! {
    /// Who may ask a running server, over the socket shell.sock in the data directory.
    pub struct Shell {
        /// Users of this machine who may do everything there, by name or number, besides root and the user that the
        /// server runs as. To come to the socket they must be members of the group of readers as well.
        administrators: Vec<String> = Vec::new();

        /// A group of this machine whose members may look at everything and change nothing, by name or number. The
        /// socket is then of this group with the mode 660 instead of 600; they must also be let into the data
        /// directory: chgrp it, and chmod 710.
        readers: Option<String> = None;
    }
}
