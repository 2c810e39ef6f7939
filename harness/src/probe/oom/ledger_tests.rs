//! What sources may say of a container, tick by tick, and what must be told.

use super::*;
use EventKind::{Died, Note, OomKill, Restarted, Unhealthy};
use Happening::{Die, Oom, Start};

fn running(started_at: &str, restarts: u64) -> State {
    State { pid: Some(42), started_at: started_at.to_owned(), restarts, ..State::default() }
}

fn ended(started_at: &str, exit_code: i64, oom_killed: bool) -> State {
    State {
        ended: true,
        exit_code,
        oom_killed,
        started_at: started_at.to_owned(),
        ..State::default()
    }
}

fn seen(counter: Option<u64>, happenings: &[Happening], state: Option<State>) -> Seen {
    Seen { counter, happenings: happenings.to_vec(), state }
}

/// Starts with a running container whose counter is at 0, and compares the kinds told at each tick.
fn check(ticks: Vec<(Seen, &[EventKind])>) {
    let mut ledger = Ledger::new(&running("a", 0), Some(0));
    for (index, (seen, expected)) in ticks.into_iter().enumerate() {
        let kinds: Vec<EventKind> = ledger.settle(seen).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, expected, "tick {index}");
    }
}

const fn die(code: i64) -> Happening {
    Die { exit_code: Some(code) }
}

#[test]
fn a_killed_child_is_told_once_whoever_reports_it_later() {
    check(vec![
        (seen(Some(1), &[], None), &[OomKill]),
        (seen(Some(1), &[Oom], Some(running("a", 0))), &[]),
        (seen(Some(3), &[Oom], None), &[OomKill, OomKill]),
    ]);
}

#[test]
fn several_events_of_one_kill_are_one_kill() {
    let many = [Oom, Oom, Oom, Oom, die(137)];
    check(vec![(seen(None, &many, Some(ended("a", 137, true))), &[OomKill])]);
    check(vec![
        (seen(None, &[Oom, Oom], None), &[OomKill]),
        (seen(None, &[Oom], Some(running("a", 0))), &[]),
    ]);
}

#[test]
fn a_killed_container_is_an_oom_kill_and_not_a_death() {
    check(vec![
        (seen(None, &[Oom, die(137)], Some(ended("a", 137, true))), &[OomKill]),
        (seen(None, &[], Some(ended("a", 137, true))), &[]),
    ]);
}

#[test]
fn the_daemons_flag_is_enough_where_events_and_counter_are_missing() {
    check(vec![(seen(None, &[], Some(ended("a", 137, true))), &[OomKill])]);
    let restarted = || Some(State { oom_killed: true, ..running("b", 1) });
    check(vec![
        (seen(None, &[], restarted()), &[OomKill, Restarted]),
        (seen(None, &[], restarted()), &[]),
    ]);
}

#[test]
fn the_flag_of_a_running_container_is_that_of_its_life_before() {
    let restarted = || State { oom_killed: true, ..running("b", 1) };
    let restarting = || State { pid: None, oom_killed: true, restarts: 1, ..running("a", 0) };
    check(vec![
        (seen(None, &[Oom], Some(running("a", 0))), &[OomKill]),
        (seen(None, &[die(137)], Some(restarting())), &[]),
        (seen(None, &[Start], Some(restarted())), &[Restarted]),
        (seen(Some(0), &[], Some(restarted())), &[]),
        (seen(None, &[die(1)], Some(ended("b", 1, false))), &[Died]),
    ]);
}

#[test]
fn a_kill_behind_a_restart_is_found_in_the_events() {
    check(vec![
        (seen(None, &[Oom, die(137), Start], Some(running("b", 1))), &[OomKill, Restarted]),
        (seen(None, &[Oom, die(137)], Some(ended("b", 137, true))), &[OomKill]),
    ]);
}

#[test]
fn each_life_that_was_killed_counts() {
    let mut ledger = Ledger::new(&running("a", 0), Some(0));
    let loops = [Oom, die(137), Start, Oom, die(137), Start];
    let news = ledger.settle(seen(None, &loops, Some(running("c", 2))));
    let kinds: Vec<EventKind> = news.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [OomKill, OomKill, Restarted]);
    assert_eq!(news[2].1, "its restart policy started it again 2 times (2 so far)");
    assert_eq!(ledger.kills(), 2);
    ledger.settle(seen(Some(1), &[], None));
    assert_eq!(ledger.kills(), 3, "the new life's counter begins at 0");
}

#[test]
fn a_crash_is_a_death_with_its_code() {
    let mut ledger = Ledger::new(&running("a", 0), None);
    let news = ledger.settle(seen(None, &[die(3)], Some(ended("a", 3, false))));
    assert_eq!(news, [(Died, "it ended with exit code 3".to_owned())]);
    assert_eq!(ledger.settle(seen(None, &[], Some(ended("a", 3, false)))), []);
    assert_eq!(ledger.removed(), None);
}

#[test]
fn a_crash_and_its_restart_are_both_told() {
    check(vec![
        (seen(None, &[die(1), Start], Some(running("b", 1))), &[Died, Restarted]),
        (seen(Some(0), &[], Some(running("b", 1))), &[]),
    ]);
}

#[test]
fn a_restart_that_no_event_told_is_seen_in_the_state() {
    check(vec![(seen(None, &[], Some(running("b", 1))), &[Restarted])]);
}

#[test]
fn an_old_start_event_is_no_restart_and_a_dateless_one_is_told_once() {
    check(vec![
        (seen(Some(0), &[Start], Some(running("a", 0))), &[]),
        (seen(None, &[die(1), Start], None), &[Died, Restarted]),
        (seen(None, &[], Some(running("b", 1))), &[]),
    ]);
}

#[test]
fn a_kill_by_hand_is_a_death_that_says_so() {
    check(vec![(seen(None, &[die(137)], Some(ended("a", 137, false))), &[Died])]);
}

#[test]
fn a_one_shot_that_succeeded_is_no_death() {
    check(vec![(seen(None, &[die(0)], Some(ended("a", 0, false))), &[Note])]);
}

#[test]
fn a_failing_health_check_is_told_at_each_turn() {
    let ill = || Some(State { unhealthy: true, ..running("a", 0) });
    check(vec![
        (seen(Some(0), &[Happening::Unhealthy], ill()), &[Unhealthy]),
        (seen(Some(0), &[], ill()), &[]),
        (seen(Some(0), &[Happening::Healthy], Some(running("a", 0))), &[]),
        (seen(Some(0), &[], ill()), &[Unhealthy]),
    ]);
}

#[test]
fn what_happened_before_is_not_news_unless_it_ended_the_container() {
    let before = || State { oom_killed: true, unhealthy: true, ..running("a", 4) };
    let mut ledger = Ledger::new(&before(), Some(2));
    assert_eq!(ledger.settle(seen(Some(2), &[], Some(before()))), []);
    assert_eq!(ledger.kills(), 2);
    assert_eq!(ledger.settle(seen(Some(3), &[], None)).len(), 1);
    assert_eq!(ledger.removed().map(|(kind, _)| kind), Some(Died));
    for (code, expected) in [(0, None), (3, Some(Died))] {
        let mut ledger = Ledger::new(&ended("a", code, false), None);
        let news = ledger.settle(seen(None, &[], Some(ended("a", code, false))));
        assert_eq!(news.first().map(|(kind, _)| *kind), expected, "{code}");
    }
}
