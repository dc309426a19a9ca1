//! `deploy/kubernetes/gateway.yaml`, read as a cluster reads it: what it asks the pods, and which pods its parts are about.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value};

/// Reads as much of YAML as the file uses. What it does not understand stops the test.
struct Reader<'a> {
    /// Each with its indent.
    lines: Vec<(usize, &'a str)>,
    at: usize,
    anchors: HashMap<&'a str, Value>,
}

impl<'a> Reader<'a> {
    fn read(document: &'a str) -> Value {
        let lines = document.lines().filter_map(|line| {
            let text = line.trim_start();
            let says = !text.is_empty() && !text.starts_with('#');
            says.then_some((line.len() - text.len(), text.trim_end()))
        });
        let mut reader = Reader {
            lines: lines.collect(),
            at: 0,
            anchors: HashMap::new(),
        };
        let all = reader.block();
        let left = reader.lines.get(reader.at);
        assert_eq!(left, None, "this line belongs to nothing");
        all
    }

    /// The next line, if it is one of a block with this indent.
    fn line_of(&self, indent: usize) -> Option<&'a str> {
        let next = self.lines.get(self.at);
        let (_, line) = next.filter(|(found, _)| *found == indent)?;
        Some(*line)
    }

    fn block(&mut self) -> Value {
        let (indent, first) = self.lines[self.at];
        if !first.starts_with("- ") {
            return self.mapping(indent);
        }
        let mut items = Vec::new();
        while let Some(item) = self.line_of(indent).and_then(|it| it.strip_prefix("- ")) {
            let is_mapping = !item.starts_with(['{', '[', '"']) && item.contains(": ");
            if is_mapping {
                // The rest of the line is the first of the mapping's.
                self.lines[self.at] = (indent + 2, item);
                items.push(self.block());
            } else {
                self.at += 1;
                items.push(self.value(item, indent));
            }
        }
        Value::Array(items)
    }

    fn mapping(&mut self, indent: usize) -> Value {
        let mut members = Map::new();
        while let Some(line) = self.line_of(indent).filter(|it| !it.starts_with("- ")) {
            let (name, rest) = line.split_once(':').expect("a member has a name");
            self.at += 1;
            let value = self.value(rest.trim(), indent);
            let before = members.insert(name.to_owned(), value);
            assert_eq!(before, None, "`{name}` twice");
        }
        Value::Object(members)
    }

    /// What stands behind a name or a dash, or in the lines below, which are further in.
    fn value(&mut self, text: &'a str, indent: usize) -> Value {
        match text.as_bytes().first() {
            None => self.block(),
            Some(b'|') => {
                let below = self.lines[self.at..].iter();
                let below = below.take_while(|(found, _)| *found > indent);
                let below: Vec<&str> = below.map(|(_, line)| *line).collect();
                self.at += below.len();
                Value::String(below.join("\n"))
            }
            Some(b'&') => {
                let value = self.block();
                self.anchors.insert(&text[1..], value.clone());
                value
            }
            Some(b'*') => self.anchors[&text[1..]].clone(),
            Some(b'{' | b'[' | b'"') => {
                let (value, rest) = flow(text);
                assert!(rest.trim().is_empty(), "{text}");
                value
            }
            Some(_) => plain(text),
        }
    }
}

/// A value between brackets or quotes, and what follows it.
fn flow(text: &str) -> (Value, &str) {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        let mut members = Map::new();
        loop {
            rest = rest.trim_start_matches([',', ' ']);
            if let Some(rest) = rest.strip_prefix('}') {
                return (Value::Object(members), rest);
            }
            let (name, after) = rest.split_once(':').expect("a member has a name");
            let (value, after) = flow(after);
            members.insert(name.to_owned(), value);
            rest = after;
        }
    }
    if let Some(mut rest) = text.strip_prefix('[') {
        let mut items = Vec::new();
        loop {
            rest = rest.trim_start_matches([',', ' ']);
            if let Some(rest) = rest.strip_prefix(']') {
                return (Value::Array(items), rest);
            }
            let (value, after) = flow(rest);
            items.push(value);
            rest = after;
        }
    }
    if let Some(rest) = text.strip_prefix('"') {
        let (inside, rest) = rest.split_once('"').expect("the quote ends");
        return (Value::String(inside.to_owned()), rest);
    }
    let end = text.find([',', '}', ']']).unwrap_or(text.len());
    (plain(text[..end].trim()), &text[end..])
}

fn plain(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// The one document of that kind.
fn document(kind: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes/gateway.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let documents = text.split("\n---\n").map(Reader::read);
    let mut found = documents.filter(|document| document["kind"] == kind);
    let document = found.next().unwrap_or_else(|| panic!("there is no {kind}"));
    assert_eq!(found.next(), None, "two of {kind}");
    document
}

/// The port of that name of the gateway's container.
fn port_of<'a>(pod: &'a Value, name: &Value) -> &'a Value {
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["name"], "gateway");
    let ports = container["ports"].as_array().unwrap();
    let found = ports.iter().find(|port| port["name"] == *name);
    found.unwrap_or_else(|| panic!("the gateway has no port {name}: {ports:?}"))
}

/// A pod whose database is away must not be started anew: it is alive and not ready.
#[test]
fn in_kubernetes_a_pod_lives_while_it_answers_and_is_sent_requests_while_it_is_ready() {
    let deployment = document("Deployment");
    let pod = &deployment["spec"]["template"];
    let container = &pod["spec"]["containers"][0];
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        let asks = &container[probe]["httpGet"];
        assert_eq!(asks["path"], path, "{probe}");
        let port = port_of(pod, &asks["port"]);
        assert_eq!(port["containerPort"], 8400, "{probe}");
    }
    let patience = |probe: &str| {
        let number = |name: &str| container[probe][name].as_u64().unwrap();
        number("periodSeconds") * number("failureThreshold")
    };
    assert!(patience("readinessProbe") < patience("livenessProbe"));
}

#[test]
fn in_kubernetes_service_and_budget_are_about_the_gateways_pods_and_some_stay_when_nodes_are_drained()
 {
    let deployment = document("Deployment");
    let pod = &deployment["spec"]["template"];
    let labels = &pod["metadata"]["labels"];
    assert!(labels.as_object().is_some_and(|labels| !labels.is_empty()));
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], *labels);
    let spread = &pod["spec"]["topologySpreadConstraints"][0];
    assert_eq!(spread["labelSelector"]["matchLabels"], *labels);

    let service = document("Service");
    assert_eq!(service["spec"]["selector"], *labels);
    let ports = service["spec"]["ports"].as_array().unwrap();
    assert!(!ports.is_empty());
    for port in ports {
        let leads_to = port_of(pod, &port["targetPort"]);
        assert_eq!(leads_to["containerPort"], 8400, "{port}");
    }

    let budget = document("PodDisruptionBudget");
    assert_eq!(budget["spec"]["selector"]["matchLabels"], *labels);
    let stay = budget["spec"]["minAvailable"].as_u64().unwrap();
    let all = deployment["spec"]["replicas"].as_u64().unwrap();
    assert!(
        0 < stay && stay < all,
        "{stay} of {all}: no node is drained"
    );
}
