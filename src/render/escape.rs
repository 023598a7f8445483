//! Escaping: text from logs and notes is hostile, and every format has its own way to be fooled.
