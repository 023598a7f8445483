//! ebbline-pool.
