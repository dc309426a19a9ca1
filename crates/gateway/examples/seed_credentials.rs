//! `seed_credentials CONFIG ORGANISATION NUMBER ON_A_LIST`: credentials by the million, straight into a gateway's database, for
//! `cargo xtask bench status`. No wallet ever had one.
//!
//! The n-th has the serial number n in its first six bytes and stands on list n / `ON_A_LIST` + 1, on one of every four
//! places; every fiftieth is revoked. Written in the order of all three indices, hundreds in a statement and thousands in a
//! commit: ten million take minutes, not hours.

use gateway::Config;
use store::{Statement, Store};

/// Rows in a statement; five values each stay far below what either engine takes.
const ROWS: i64 = 200;
/// Statements in a commit.
const STATEMENTS: i64 = 50;

/// Whatever went wrong, in words.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, organisation, number, on_a_list] = arguments.as_slice() else {
        return Err(
            "name the configuration, the organisation, how many, and how many on a list".into(),
        );
    };
    let (number, on_a_list): (i64, i64) = (number.parse()?, on_a_list.parse()?);
    let store = gateway::open_store(&Config::read(config.as_ref())?.database_address()?).await?;
    lists(&store, organisation, number.div_euclid(on_a_list) + 1).await?;
    let mut next = 0;
    while next < number {
        let mut batch = Vec::new();
        for _ in 0..STATEMENTS {
            let until = number.min(next + ROWS);
            if next < until {
                batch.push(rows(organisation, on_a_list, next..until));
                next = until;
            }
        }
        store.write(batch).await?;
    }
    store.close().await;
    Ok(())
}

async fn lists(store: &Store, organisation: &str, number: i64) -> Result<(), Failure> {
    let list = |list: i64| {
        let insert = "INSERT INTO status_lists (organisation, list, revision) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING";
        Statement::new(insert).bind(organisation).bind(list)
    };
    store.write((1..=number).map(list)).await?;
    Ok(())
}

fn rows(organisation: &str, on_a_list: i64, numbers: std::ops::Range<i64>) -> Statement {
    let one = |row: i64| {
        let [a, b, c, d] = [1, 2, 3, 4].map(|value| format!("${}", row * 4 + value + 1));
        format!(
            "({a}, $1, 'bench-es256', 'FireSafety', 'jwt_vc_json', {a}, {b}, {c}, 1795000000, 1895000000, {d})"
        )
    };
    let values: Vec<String> = (0..numbers.end - numbers.start).map(one).collect();
    let insert = Statement::new(format!(
        "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, interaction, list, \
         list_index, issued_at, expires_at, revoked_at) VALUES {}",
        values.join(", ")
    ));
    numbers.fold(insert.bind(organisation), |insert, number| {
        let within = number % on_a_list;
        insert
            .bind(serial_number(number))
            .bind(number / on_a_list + 1)
            .bind(within * 4 + within % 4)
            .bind((number % 50 == 0).then_some(1_795_000_000_i64))
    })
}

fn serial_number(number: i64) -> String {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&number.to_be_bytes()[2..]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}
