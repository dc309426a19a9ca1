//! Every address of the gateway, read off its own router: a new one is in the tests that walk them from its first day.

use std::collections::BTreeSet;

use gateway::Gateway;
use reqwest::Method;

use crate::world::{World, client};

/// Every address, parameters in braces.
pub(crate) fn addresses(gateway: &Gateway) -> BTreeSet<String> {
    // A router tells its addresses by `Debug` and by nothing else. The probes stand around it.
    let told = format!("{:?}{:?}", gateway.addresses(), gateway.router());
    let named = told.split("RouteId(").skip(1);
    let paths = named.filter_map(|rest| rest.split_once("): \"")?.1.split_once('"'));
    let paths = paths.map(|(path, _)| path.to_owned());
    // What the router has for addresses that do not exist.
    let paths: BTreeSet<_> = paths.filter(|path| !path.contains("{*__")).collect();
    assert!(
        paths.len() >= 70,
        "the router tells its addresses: {paths:?}"
    );
    for one in [
        "/token",
        "/issuers/{organisation}/credential",
        "/healthz",
        "/help",
    ] {
        assert!(paths.contains(one), "{one} is not among {paths:?}");
    }
    paths
}

/// The methods that an address takes, as it says itself to one that it does not.
pub(crate) async fn methods(world: &World, address: &str) -> Vec<Method> {
    let request = client().request(Method::TRACE, world.url(address));
    let answer = request.send().await.unwrap();
    let allow = answer.headers().get("allow");
    let allow = allow.unwrap_or_else(|| panic!("{address} takes every method: {answer:?}"));
    let allow = allow.to_str().unwrap().split(',');
    allow.map(|method| method.trim().parse().unwrap()).collect()
}
