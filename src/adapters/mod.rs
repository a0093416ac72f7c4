//! The edges: everything that talks to AWS, to Pulumi or to the disk.
pub mod pulumi;
