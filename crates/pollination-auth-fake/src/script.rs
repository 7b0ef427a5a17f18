//! The scripted faults, in the order in which requests meet them.
//!
//! What they do is not decided here.

use std::panic::Location;

use crate::fault::{Fault, Times};
use crate::operation::Operation;

/// The line of a test that scripted a fault; the control endpoint has none.
pub(crate) type Place = Option<&'static Location<'static>>;

#[derive(Default)]
pub(crate) struct Script(Vec<Scripted>);

struct Scripted {
    /// The operation whose requests meet it; `None` is any.
    operation: Option<Operation>,
    fault: Fault,
    place: Place,
    was_met: bool,
}

impl Script {
    pub(crate) fn push(&mut self, operation: Option<Operation>, fault: Fault, place: Place) {
        self.0.push(Scripted {
            operation,
            fault,
            place,
            was_met: false,
        });
    }

    /// Returns the fault that the next request for an operation meets, and its position.
    pub(crate) fn next(&self, operation: Operation) -> Option<(usize, &Fault)> {
        let is_meant = |scripted: &Scripted| match scripted.operation {
            Some(meant) => meant == operation,
            None => scripted.fault.applies_to(operation),
        };
        let position = self.0.iter().position(is_meant)?;
        self.0
            .get(position)
            .map(|scripted| (position, &scripted.fault))
    }

    /// Counts that a request has met the fault at this position.
    pub(crate) fn meet(&mut self, position: usize) {
        let Some(scripted) = self.0.get_mut(position) else {
            return;
        };
        scripted.was_met = true;
        if let Times::Left(left) = &mut scripted.fault.times {
            *left -= 1;
            if *left == 0 {
                self.0.remove(position);
            }
        }
    }

    /// Lists the faults that no request has met, or too few have.
    pub(crate) fn unused(&self) -> Vec<String> {
        self.waiting().map(Scripted::shown).collect()
    }

    /// As [`unused`](Self::unused), with the lines of the test that scripted them.
    ///
    /// A fault that came over the control endpoint is left out: it has no line, and whoever
    /// scripted it asks there.
    pub(crate) fn unused_with_places(&self) -> Vec<String> {
        let placed = |scripted: &Scripted| {
            let place = scripted.place?;
            Some(format!("{} (scripted at {place})", scripted.shown()))
        };
        self.waiting().filter_map(placed).collect()
    }

    fn waiting(&self) -> impl Iterator<Item = &Scripted> {
        let is_waiting = |scripted: &&Scripted| match scripted.fault.times {
            Times::Left(_) => true,
            Times::Always => !scripted.was_met,
        };
        self.0.iter().filter(is_waiting)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Scripted {
    fn shown(&self) -> String {
        let operation = self.operation.map_or("any", Operation::as_str);
        format!("{operation}: {:?}", self.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fault that the next request meets, and then has met.
    fn met(script: &mut Script, operation: Operation) -> Option<String> {
        let (position, fault) = script.next(operation)?;
        let shown = format!("{fault:?}");
        script.meet(position);
        Some(shown)
    }

    #[test]
    fn faults_of_an_operation_come_in_order_and_leave_the_others_alone() {
        let mut script = Script::default();
        let (login, rotate) = (Operation::Login, Operation::RotateApiTokenSecret);
        script.push(Some(rotate), Fault::status(500), None);
        script.push(Some(login), Fault::status(429), None);
        script.push(Some(rotate), Fault::wrong_id(), None);
        assert_eq!(met(&mut script, Operation::GetApiToken), None);
        assert_eq!(met(&mut script, rotate).as_deref(), Some("status(500)"));
        assert_eq!(
            script.unused(),
            ["login: status(429)", "rotate_api_token_secret: wrong_id"]
        );
        script.clear();
        assert_eq!(met(&mut script, rotate), None);
    }

    #[test]
    fn a_fault_is_met_as_often_as_it_says() {
        let mut script = Script::default();
        let login = Operation::Login;
        script.push(Some(login), Fault::status(500).times(2), None);
        script.push(Some(login), Fault::status(503).always(), None);
        assert_eq!(
            script.unused(),
            ["login: status(500), 2 times", "login: status(503), always"]
        );
        met(&mut script, login);
        assert_eq!(script.unused()[0], "login: status(500)");
        for _ in 0..3 {
            assert_ne!(met(&mut script, login), None);
        }
        assert_eq!(script.unused(), [""; 0]);
        let last = met(&mut script, login);
        assert_eq!(last.as_deref(), Some("status(503), always"));
    }

    #[test]
    fn a_fault_of_any_operation_is_met_by_one_that_it_changes() {
        let mut script = Script::default();
        script.push(None, Fault::no_secret(), None);
        assert_eq!(script.unused(), ["any: no_secret"]);
        assert_eq!(met(&mut script, Operation::Login), None);
        let created = met(&mut script, Operation::CreateApiToken);
        assert_eq!(created.as_deref(), Some("no_secret"));
    }
}
