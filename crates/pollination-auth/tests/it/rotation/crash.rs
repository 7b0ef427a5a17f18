//! Points 5.7.1 and 5.7.2: a process that really aborts before and after each step on the real
//! disk, against the service over HTTP, and the recovery of what it left.

use pollination_auth_fake::{Fault, Operation};

use super::child::{Task, command};
use super::support::Stage;

/// More steps than any run takes; a child that reaches none of them ends by itself.
const MOST_STEPS: u32 = 80;

/// Runs a child that aborts at a step; says whether it came that far.
fn aborts(stage: &Stage, task: Task, step: u32) -> bool {
    let status = command(stage, task, Some(step)).status().unwrap();
    !status.success()
}

fn stage(fault: Option<Fault>) -> Stage {
    let stage = Stage::new();
    if let Some(fault) = fault {
        stage.service.fail_next(Operation::Rotate, fault);
    }
    stage
}

async fn abort_at_every_step(fault: fn() -> Option<Fault>) -> u32 {
    for step in 0..MOST_STEPS {
        let stage = stage(fault());
        let aborted = aborts(&stage, Task::Rotate, step);
        stage.service.clear_faults();
        let recovered = stage.rotation().recover().await;
        let context = format!("step {step}: {recovered:?}");
        assert!(recovered.is_ok(), "{context}");
        stage.assert_settled(&context);
        if !aborted {
            return step;
        }
    }
    panic!("no end of steps");
}

#[tokio::test]
async fn point_5_7_1_state_s4_a_child_aborted_at_every_step_of_a_good_rotation_is_recovered() {
    let steps = abort_at_every_step(|| None).await;
    // Two journals and a credential of four steps each, a removal of two, before and after each.
    assert_eq!(steps, 2 * (4 + 4 + 4 + 2));
}

#[tokio::test]
async fn point_5_7_1_state_s3b_a_child_aborted_at_every_step_after_a_lost_reply_is_recovered() {
    let steps = abort_at_every_step(|| Some(Fault::commit_and_drop())).await;
    assert_eq!(steps, 2 * (4 + 4 + 4 + 4 + 2));
}

#[tokio::test]
async fn point_5_7_1_a_child_aborted_at_every_step_after_a_reply_of_no_use_is_recovered() {
    let steps = abort_at_every_step(|| Some(Fault::truncated())).await;
    assert_eq!(steps, 2 * (4 + 4 + 4 + 4 + 2));
}

#[tokio::test]
async fn point_5_7_2_a_child_aborted_at_every_step_of_its_recovery_is_recovered() {
    // Behind the announcement, where only the access token can help.
    let announced = 8;
    for step in 0..MOST_STEPS {
        let stage = stage(Some(Fault::commit_and_drop()));
        let first = announced + 2;
        assert!(aborts(&stage, Task::Rotate, first));
        let aborted = aborts(&stage, Task::Recover, step);
        let again = aborts(&stage, Task::Recover, step / 2);
        let recovered = stage.rotation().recover().await;
        let context = format!("step {step}, {again}: {recovered:?}");
        assert!(recovered.is_ok(), "{context}");
        stage.assert_settled(&context);
        if !aborted {
            return;
        }
    }
    panic!("no end of steps");
}
