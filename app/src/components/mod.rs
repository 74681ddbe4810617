//! Parts that several pages are made of. Rendered on the server only.

pub mod code;
pub mod day_chart;
pub mod difference;
pub mod duration_chart;
pub mod field;
pub mod filter;
pub mod flow_graph;
pub mod flow_tools;
pub mod icon;
pub mod keyboard;
pub mod log_difference;
pub mod log_search;
pub mod log_view;
pub mod message;
pub mod outputs;
pub mod page;
pub mod phase;
pub mod program_fields;
pub mod python_field;
pub mod script_link;
pub mod spec;
pub mod step_list;
pub mod time;
pub mod timeline;
pub mod upload;
