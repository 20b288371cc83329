//! JavaScript <-> engine. The only module that knows Node.
//!
//! Nothing here decides anything: it turns what JavaScript gives into engine values, calls one
//! engine function, and turns the answer back. Data crosses in two buffers that JavaScript owns and
//! that are borrowed for the length of one call; no pointer stays behind on either side.

mod client;
mod completion;
mod environment;
mod options;
mod runtime;
mod submission;
