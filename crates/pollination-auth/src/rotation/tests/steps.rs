//! The states one by one: what is durable when, and which verdict follows from which replies.
