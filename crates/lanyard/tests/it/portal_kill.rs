//! Gateway, portal, wallet and mail as separate processes, one of them killed at each step of an employee's walk. When
//! it has settled, what the portal says is true: no serial number in a wallet is unknown to it, no revocation is
//! forgotten, every mail has come under one Message-ID.
//!
//! Deaths in the middle of a step with `LANYARD_LONG` only: `points` has one at every place that matters, in each run.

use std::time::{Duration, Instant};

use crate::database::{Database, on_both_engines};
use crate::events;
use crate::portal_kill_person::{Death, Person, STEPS, Step};
use crate::portal_kill_truth::{Counted, check, settle};
use crate::portal_processes::{Party, Processes, another};

on_both_engines!(
    killed_after_each_step_every_process_goes_on_and_what_the_portal_says_is_true,
    killed_in_the_middle_of_a_step_every_process_goes_on_and_what_the_portal_says_is_true,
);

/// Employees whose walks nothing disturbs: they show how long each step takes, the first of them at its slowest.
const QUIET: usize = 3;
/// As many as one world serves before it has to settle.
const POINTS_OF_ONE_WORLD: usize = 30;

/// DW-62, DW-72: also after a restart of the portal, what it revokes is what is in the wallet.
async fn killed_after_each_step_every_process_goes_on_and_what_the_portal_says_is_true(
    database: Database,
) {
    let mut world = Processes::start(database, Party::ALL.len()).await;
    for (number, party) in Party::ALL.into_iter().enumerate() {
        let (mut person, began) = (Person::new(world.walk(number)), Instant::now());
        person
            .walk_with_a_death_after_each_step(&mut world, party)
            .await
            .unwrap();
        let (deaths, took) = (STEPS.len(), began.elapsed());
        println!(
            "{party:?}: {deaths} deaths in {took:?} {:?}",
            person.stumbles
        );
    }
    let counted = settle_and_check(&world, Party::ALL.len()).await;
    assert!(counted.revoked >= Party::ALL.len(), "{counted}");
    assert!(counted.mails >= Party::ALL.len(), "{counted}");
}

async fn killed_in_the_middle_of_a_step_every_process_goes_on_and_what_the_portal_says_is_true(
    database: Database,
) {
    if std::env::var_os("LANYARD_LONG").is_none() {
        println!("skipped: LANYARD_LONG is not set");
        return;
    }
    let points = points(database.address().starts_with("postgres"));
    let (mut noticed, mut in_force) = (0, 0);
    for points in points.chunks(POINTS_OF_ONE_WORLD) {
        let mut world = Processes::start(another(&database).await, points.len() + QUIET).await;
        let mut usual = Usual::default();
        for number in 0..QUIET {
            let mut person = Person::new(world.walk(number));
            person.walk_quietly().await.unwrap();
            usual.learn(&person);
        }
        for (number, point) in (QUIET..).zip(points) {
            let death = usual.death_at(*point);
            // Half of the credentials stay: what is in force must be true, too.
            let last = match point.step {
                Step::HrSaves => Step::HrSaves,
                _ if number % 2 == 0 => Step::HrSaves,
                _ => Step::ListAdded,
            };
            let mut person = Person::new(world.walk(number));
            person
                .walk_with_one_death(&mut world, death, last)
                .await
                .unwrap_or_else(|error| panic!("{death:?}: {error:#}"));
            println!("{death:?} {:?}", person.stumbles);
            usual.learn(&person);
            noticed += usize::from(!person.stumbles.is_empty());
        }
        in_force += settle_and_check(&world, points.len() + QUIET).await.issued;
    }
    println!(
        "{} deaths, {noticed} of which the person noticed",
        points.len()
    );
    assert!(noticed > 0, "no death ever met a step");
    assert!(in_force > 0, "no credential stayed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_whose_answer_died_with_the_mail_server_comes_again_under_the_same_message_id() {
    let mut world = Processes::start(Database::sqlite(), 1).await;
    world.let_mail_hang_up().await;
    let mut person = Person::new(world.walk(0));
    person.walk_quietly().await.unwrap();
    world.kill(Party::Mail);
    world.revive(Party::Mail);
    let counted = settle_and_check(&world, 1).await;
    assert_eq!((counted.mails, counted.repeated), (1, 1), "{counted}");
}

/// A place and a time to die.
#[derive(Clone, Copy, Debug)]
struct Point {
    step: Step,
    party: Party,
    /// The moment, as a part of the time that the step usually takes.
    part: f64,
}

/// How long each step takes at best: under a load that comes and goes, anything else would be too late.
#[derive(Default)]
struct Usual(Vec<(Step, Duration)>);

impl Usual {
    fn learn(&mut self, person: &Person) {
        self.0.extend_from_slice(&person.times);
    }

    fn of(&self, step: Step) -> Duration {
        let times = self.0.iter().filter(|(known, _)| *known == step);
        times.map(|(_, time)| *time).min().unwrap()
    }

    fn death_at(&self, point: Point) -> Death {
        let Point { step, party, part } = point;
        let mut usual = self.of(step);
        if step == Step::HrSaves {
            // What it sets off ends with the mail.
            usual += self.of(Step::Mail);
        }
        Death {
            step,
            party,
            moment: usual.mul_f64(part),
        }
    }
}

/// Where it matters when exactly somebody dies: what is written and what is asked lie close together there. What follows
/// when HR has saved (revoking, writing the mail, its DATA) is within the time of that step.
const IN_FLIGHT: [(Step, Party); 16] = [
    (Step::Confirm, Party::Portal),
    (Step::BeginToVerify, Party::Portal),
    (Step::BeginToVerify, Party::Gateway),
    (Step::Show, Party::Gateway),
    (Step::Show, Party::Wallet),
    (Step::BackVerified, Party::Portal),
    (Step::BackVerified, Party::Gateway),
    (Step::BeginToAdd, Party::Portal),
    (Step::BeginToAdd, Party::Gateway),
    (Step::Receive, Party::Gateway),
    (Step::Receive, Party::Wallet),
    (Step::BackAdded, Party::Portal),
    (Step::BackAdded, Party::Gateway),
    (Step::HrSaves, Party::Portal),
    (Step::HrSaves, Party::Gateway),
    (Step::HrSaves, Party::Mail),
];

/// Fewer on PostgreSQL: the portal is the same, and the store's own tests know the difference.
fn points(on_postgres: bool) -> Vec<Point> {
    let (moments, apart) = if on_postgres { (5, 0.22) } else { (20, 0.055) };
    // By the moment, so that every world sees deaths of all kinds.
    let parts = (0..moments).map(|moment| f64::from(moment) * apart);
    parts
        .flat_map(|part| IN_FLIGHT.map(|(step, party)| Point { step, party, part }))
        .collect()
}

async fn settle_and_check(world: &Processes, employees: usize) -> Counted {
    let took = settle(world).await;
    let counted = check(world, employees).await;
    // Each revocation has one effect: the gateway tells of it once.
    let told = events::add_up(&world.gateway).await;
    assert_eq!(counted.revoked > 0, told.contains("credential.revoked"));
    println!("settled after {took:?}: {counted}");
    counted
}
