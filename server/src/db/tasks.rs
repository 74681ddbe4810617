//! Tasks and the pages about them, read and written. (being written)
