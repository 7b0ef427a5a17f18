//! The queues of scripted faults, one for each operation.
//!
//! It returns them in order; what they do is not decided here.

use std::collections::{HashMap, VecDeque};
use std::panic::Location;
use std::time::Duration;

use crate::fault::Fault;
use crate::operation::Operation;

/// The name of an entry of the script.
pub(crate) type Ticket = u64;

/// The line of a test that scripted a fault; the control endpoint has none.
pub(crate) type Place = Option<&'static Location<'static>>;

#[derive(Default)]
pub(crate) struct Script {
    queues: HashMap<Operation, VecDeque<Scripted>>,
    last_ticket: Ticket,
}

pub(crate) struct Scripted {
    ticket: Ticket,
    place: Place,
    pub(crate) fault: Fault,
}

impl Script {
    /// Returns the name of a new entry.
    pub(crate) fn ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        self.last_ticket
    }

    pub(crate) fn push(
        &mut self,
        operation: Operation,
        ticket: Ticket,
        fault: Fault,
        place: Place,
    ) {
        let scripted = Scripted {
            ticket,
            place,
            fault,
        };
        self.queues
            .entry(operation)
            .or_default()
            .push_back(scripted);
    }

    pub(crate) fn take(&mut self, operation: Operation) -> Option<Scripted> {
        self.queues.get_mut(&operation)?.pop_front()
    }

    /// Puts a fault back for the next request.
    pub(crate) fn put_back(&mut self, operation: Operation, scripted: Scripted) {
        self.queues
            .entry(operation)
            .or_default()
            .push_front(scripted);
    }

    /// Returns the next entry for an operation, if it has a delay.
    pub(crate) fn next_delayed(&self, operation: Operation) -> Option<Ticket> {
        let next = self.queues.get(&operation)?.front()?;
        (next.fault.delay > Duration::ZERO).then_some(next.ticket)
    }

    /// Lists the faults that no request has met, in the order of the operations.
    pub(crate) fn unused(&self) -> Vec<String> {
        self.waiting()
            .map(|(operation, scripted)| format!("{operation}: {:?}", scripted.fault))
            .collect()
    }

    /// As [`unused`](Self::unused), with the lines that scripted them.
    pub(crate) fn unused_with_places(&self) -> Vec<String> {
        self.waiting()
            .map(|(operation, Scripted { place, fault, .. })| match place {
                Some(place) => format!("{operation}: {fault:?} (scripted at {place})"),
                None => format!("{operation}: {fault:?}"),
            })
            .collect()
    }

    fn waiting(&self) -> impl Iterator<Item = (Operation, &Scripted)> {
        Operation::ALL.into_iter().flat_map(|operation| {
            let queue = self.queues.get(&operation).into_iter().flatten();
            queue.map(move |scripted| (operation, scripted))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.queues.values().map(VecDeque::len).sum()
    }

    pub(crate) fn clear(&mut self) {
        self.queues.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_a_queue_of_its_own() {
        let mut script = Script::default();
        script.push(Operation::RotateApiTokenSecret, 1, Fault::status(500), None);
        script.push(Operation::RotateApiTokenSecret, 2, Fault::wrong_id(), None);
        script.push(Operation::Login, 3, Fault::status(429), None);
        assert!(script.take(Operation::GetApiToken).is_none());
        let first = script.take(Operation::RotateApiTokenSecret).unwrap();
        assert_eq!(format!("{:?}", first.fault), "status(500)");
        assert_eq!(
            script.unused(),
            ["login: status(429)", "rotate_api_token_secret: wrong_id"]
        );
        script.put_back(Operation::RotateApiTokenSecret, first);
        script.clear();
        assert_eq!(script.unused(), [""; 0]);
    }
}
