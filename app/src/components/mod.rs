//! Parts that several pages are made of. Rendered on the server only.

pub mod code;
pub mod day_chart;
pub mod difference;
pub mod field;
pub mod flow_graph;
pub mod icon;
pub mod log_lines;
pub mod log_place;
pub mod log_search;
pub mod log_view;
pub mod message;
pub mod outputs;
pub mod page;
pub mod phase;
pub mod program_fields;
pub mod spec;
pub mod step_list;
pub mod time;
pub mod timeline;
