//! The external system dies at each point inside it between an employee's confirmation and the mail that tells of the
//! revocation: before and after each batch that it keeps, each call to the gateway, each handing over of a mail. Started
//! again, it goes on, and when it has settled what it says is true: no serial number in a wallet is unknown to it, each
//! revocation had one effect, every mail has come under one Message-ID (rulings 21).
//!
//! A few of the points in each run; `LANYARD_LONG` asks for all of them.

use std::os::unix::process::ExitStatusExt as _;
use std::pin::pin;
use std::time::{Duration, Instant};

use crate::database::{Database, on_both_engines};
use crate::events;
use crate::point::{Point, names};
use crate::point_walker::PointWalker;
use crate::portal_kill_person::Person;
use crate::portal_kill_truth::{Counted, check, settle, settle_what_is_due};
use crate::portal_processes::{MailWay, Party, Plan, Processes, System, another};
use crate::sidecar_host::HostedPerson;

on_both_engines!(
    dw_62_dw_72_killed_at_any_point_between_confirmation_and_mail_the_portal_goes_on_and_what_it_says_is_true,
    dw_62_dw_72_killed_at_any_point_between_confirmation_and_mail_the_sidecar_goes_on_and_what_it_says_is_true,
);

/// A walk takes a second; on a machine that is busy, a few.
const PLAN: Plan = Plan {
    journey_seconds: 10,
    answer_seconds: 2,
    mails_a_minute: 10_000,
    ..Plan::PORTAL
};
/// Fewer would leave out a step.
const FEWEST: usize = 30;
/// How many points are died at where there is no time for all, besides those where an answer is lost.
const OTHERS: usize = 2;
/// How many deaths one world serves before it has to settle.
const MOST: usize = 40;
const MOST_IN_SHORT: usize = 14;
/// How long a walk may take, and what is done behind it.
const PATIENCE: Duration = Duration::from_mins(1);
/// SIGKILL, everywhere.
const KILLED: i32 = 9;

async fn dw_62_dw_72_killed_at_any_point_between_confirmation_and_mail_the_portal_goes_on_and_what_it_says_is_true(
    database: Database,
) {
    die_at_points::<Person>(PLAN, &database).await;
}

async fn dw_62_dw_72_killed_at_any_point_between_confirmation_and_mail_the_sidecar_goes_on_and_what_it_says_is_true(
    database: Database,
) {
    let plan = Plan {
        system: System::Sidecar,
        ..PLAN
    };
    die_at_points::<HostedPerson>(plan, &database).await;
}

/// DW-62, DW-72, with mails that nobody may send twice: Notify gives each copy an id of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_point_a_portal_whose_mails_go_by_notify_sends_each_of_them_once() {
    let plan = Plan {
        mail: MailWay::Notify,
        ..PLAN
    };
    die_at_points::<Person>(plan, &Database::sqlite()).await;
}

/// What one undisturbed walk comes through.
struct Way {
    points: Vec<Point>,
    /// How many of them lie before the credential is added.
    to_be_added: usize,
}

impl Way {
    /// Where to die, from the mail back to the confirmation: what a death on the way to the wallet leaves to be found out
    /// takes longest, and is not to be done while somebody else is to die doing the same.
    fn deaths(&self, mail: MailWay) -> Vec<usize> {
        // What lies before the mail is the same whichever way that goes.
        let first = match mail {
            MailWay::Smtp => 0,
            MailWay::Notify => self.to_be_added,
        };
        let all = (first..self.points.len()).rev();
        if is_long() {
            return all.collect();
        }
        // Somebody else has done something, and nobody knows: there the most is at stake.
        let (lost, others): (Vec<_>, Vec<_>) = all
            .filter(|at| !self.points[*at].is_asked_once())
            .partition(|at| self.points[*at].loses_an_answer());
        let some = others.iter().step_by(others.len() / OTHERS);
        let mut deaths: Vec<usize> = lost.iter().chain(some).copied().collect();
        deaths.sort_unstable_by(|one, other| other.cmp(one));
        deaths
    }
}

fn is_long() -> bool {
    std::env::var_os("LANYARD_LONG").is_some()
}

async fn die_at_points<W: PointWalker>(plan: Plan, database: &Database) {
    let most = if is_long() { MOST } else { MOST_IN_SHORT };
    let mut world = Processes::start_as(plan, another(database).await, 1 + most).await;
    let way = record::<W>(&mut world).await;
    println!(
        "{} points of {} names, {} of them until the credential is added:",
        way.points.len(),
        names(&way.points),
        way.to_be_added
    );
    for point in &way.points {
        println!("  {point}");
    }
    assert!(way.points.len() >= FEWEST, "too few points to die at");

    let deaths = way.deaths(plan.mail);
    let (mut noticed, mut in_force, mut repeated) = (0, 0, 0);
    for (round, deaths) in deaths.chunks(most).enumerate() {
        if round > 0 {
            world = Processes::start_as(plan, another(database).await, 1 + most).await;
        }
        for (number, at) in (1..).zip(deaths) {
            noticed += usize::from(die_at::<W>(&mut world, number, &way, *at).await);
        }
        let counted = settle_and_check(&world, 1 + most).await;
        in_force += counted.issued;
        repeated += counted.repeated;
    }
    println!(
        "{} deaths at points, {noticed} of which the person noticed; {in_force} credentials in force, {repeated} mails twice",
        deaths.len()
    );
    // Whoever dies after the mail server's answer cannot know of it (rulings 21); Notify can be asked.
    let by_smtp = plan.mail == MailWay::Smtp;
    assert_eq!(repeated > 0, by_smtp);
    if by_smtp {
        assert!(noticed > 0, "no death ever met a step");
        assert!(in_force > 0, "no credential stayed");
    }
}

/// Walks once, and writes down which points there are.
async fn record<W: PointWalker>(world: &mut Processes) -> Way {
    let mut walker = W::new(world, 0);
    walker.arrive().await.unwrap();
    world.points.begin(None);
    walker.add().await.unwrap();
    let to_be_added = world.points.reached().len();
    walker.lose().await.unwrap();
    settle_what_is_due(world).await;
    // What is kept last is kept before this point is reached.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let points = world.points.reached();
    world.points.end();
    Way {
        points,
        to_be_added,
    }
}

/// Walks with a death at this point; says whether whoever walked noticed.
async fn die_at<W: PointWalker>(
    world: &mut Processes,
    number: usize,
    way: &Way,
    at: usize,
) -> bool {
    let point = &way.points[at];
    let is_added_by_then = at >= way.to_be_added;
    if is_added_by_then {
        // Nobody else is to be revoked or written to in this walker's stead.
        settle_what_is_due(world).await;
    }
    let mut walker = W::new(world, number);
    walker.arrive().await.unwrap();
    walker.expect_trouble();
    if point.is_asked_once() {
        // Nor is it to be known already.
        settle(world).await;
        world.kill(Party::Portal);
        world.revive(Party::Portal);
    }
    world.points.begin(Some(point));
    // Half of the credentials stay: what is in force must be true, too.
    let loses_it = is_added_by_then || number.is_multiple_of(2);
    let began = Instant::now();
    let mut died = false;
    {
        let mut walking = pin!(async {
            walker.add().await?;
            if loses_it {
                walker.lose().await?;
            }
            anyhow::Ok(())
        });
        let walked = loop {
            tokio::select! {
                walked = &mut walking => break walked,
                () = tokio::time::sleep(Duration::from_millis(2)) => died |= has_died(world, point),
            }
        };
        walked.unwrap_or_else(|error| panic!("{point}: {error:#}"));
    }
    while !died {
        assert!(
            began.elapsed() < PATIENCE,
            "{point} was never reached: {:?}",
            world.points.reached()
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
        died = has_died(world, point);
    }
    world.points.end();
    println!("{point} {:?} {:?}", began.elapsed(), walker.stumbles());
    !walker.stumbles().is_empty()
}

/// If it has, it is started again.
fn has_died(world: &mut Processes, point: &Point) -> bool {
    let Some(status) = world.portal_has_died() else {
        return false;
    };
    assert_eq!(status.signal(), Some(KILLED), "{point}: {status}");
    assert_eq!(world.points.reached().last(), Some(point));
    world.revive(Party::Portal);
    true
}

async fn settle_and_check(world: &Processes, employees: usize) -> Counted {
    let took = settle(world).await;
    let counted = check(world, employees).await;
    // Each revocation has one effect: the gateway tells of it once.
    let told = events::add_up(&world.gateway).await;
    assert_eq!(counted.revoked > 0, told.contains("credential.revoked"));
    if let Some(taken) = world.taken_by_notify() {
        assert_eq!(taken, counted.mails, "Notify was sent a mail twice");
    }
    println!("settled after {took:?}: {counted}");
    counted
}
