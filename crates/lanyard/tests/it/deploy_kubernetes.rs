//! `deploy/kubernetes/gateway.yaml`, read as a cluster reads it: what it asks the pods, and which pods its parts are about.

use std::collections::{BTreeSet, HashMap};
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

fn file() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes/gateway.yaml");
    std::fs::read_to_string(file).unwrap()
}

/// The one document of that kind.
fn document(kind: &str) -> Value {
    let text = file();
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
    // One moment of much to do is no reason to be started anew.
    assert!(container["livenessProbe"]["failureThreshold"].as_u64() >= Some(3));
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

/// The lines of the comment at the file's head that are further in, as somebody copies them.
fn told() -> String {
    let text = file();
    let head = text.lines().map_while(|line| line.strip_prefix('#'));
    let told = head.filter_map(|line| line.strip_prefix("   "));
    told.collect::<Vec<_>>().join("\n")
}

/// The configuration that the comment tells of: what stands between the commands.
fn configuration() -> toml::Table {
    let told = told();
    let lines = told.lines().filter(|line| !line.starts_with("kubectl "));
    let text = lines.collect::<Vec<_>>().join("\n");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The files of which `kubectl create` makes the secret or the configuration of that name.
fn made_of(name: &str) -> BTreeSet<String> {
    let told = told();
    let line = told.lines().find(|line| {
        line.starts_with("kubectl create ") && line.split(' ').any(|word| word == name)
    });
    let line = line.unwrap_or_else(|| panic!("nobody makes {name}"));
    let files = line
        .split(' ')
        .filter_map(|word| word.strip_prefix("--from-file="));
    files.map(str::to_owned).collect()
}

/// A container's mount in which that path lies, and the volume that is mounted there.
fn mounted<'a>(spec: &'a Value, container: &'a Value, path: &str) -> (&'a Value, &'a Value) {
    let mounts = container["volumeMounts"].as_array().unwrap();
    let mount = mounts.iter().find(|mount| {
        let at = mount["mountPath"].as_str().unwrap();
        let below = path.strip_prefix(at);
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    });
    let mount = mount.unwrap_or_else(|| panic!("{path} is mounted nowhere"));
    let volumes = spec["volumes"].as_array().unwrap();
    let volume = volumes
        .iter()
        .find(|volume| volume["name"] == mount["name"]);
    (
        mount,
        volume.unwrap_or_else(|| panic!("{mount}: no such volume")),
    )
}

/// The configuration of the comment works in the pod of the same file: every file that it names is there, from where the
/// commands put it, and every port is one that something asks.
#[test]
fn in_kubernetes_what_the_told_configuration_names_is_where_the_pod_has_it() {
    let deployment = document("Deployment");
    let pod = &deployment["spec"]["template"];
    let (spec, container) = (&pod["spec"], &pod["spec"]["containers"][0]);
    let config = configuration();
    let text = told();
    let words = text.split([' ', '\n']);
    let named: BTreeSet<_> = words.filter_map(|it| it.strip_prefix("deploy/")).collect();
    let name = deployment["metadata"]["name"].as_str().unwrap();
    assert_eq!(named, [name].into(), "the commands are told of it");
    let port = |address: &toml::Value| -> u64 {
        let (everywhere, port) = address.as_str().unwrap().split_once(':').unwrap();
        assert_eq!(everywhere, "0.0.0.0");
        port.parse().unwrap()
    };
    for (name, listen) in [
        ("http", &config["listen"]),
        ("metrics", &config["metrics"]["listen"]),
    ] {
        let open = &port_of(pod, &Value::from(name))["containerPort"];
        assert_eq!(*open, port(listen), "{name}");
    }

    let args = container["args"].as_array().unwrap();
    let at = args.iter().position(|arg| arg == "--config").unwrap();
    let (mount, volume) = mounted(spec, container, args[at + 1].as_str().unwrap());
    let map = volume["configMap"]["name"].as_str().unwrap();
    let file = mount["subPath"].as_str().unwrap();
    assert!(made_of(map).contains(file), "{map} has no {file}");

    for key in ["key_passphrase", "storage_secret"] {
        let path = config[key]["file"].as_str().unwrap();
        let (mount, volume) = mounted(spec, container, path);
        assert_eq!(mount["readOnly"], true, "{key}");
        let secret = volume["secret"]["secretName"].as_str().unwrap();
        let at = mount["mountPath"].as_str().unwrap();
        let file = path[at.len()..].trim_start_matches('/');
        assert!(
            made_of(secret).contains(file),
            "{key}: {secret} has no {file}"
        );
    }
    let database = config["database"].as_str().unwrap();
    let variable = database.strip_prefix("env:").unwrap();
    let set = container["env"].as_array().unwrap();
    let set = set.iter().find(|one| one["name"] == variable);
    let from = &set.expect("nobody sets it")["valueFrom"]["secretKeyRef"];
    let secret = made_of(from["name"].as_str().unwrap());
    assert!(secret.contains(from["key"].as_str().unwrap()), "{from}");

    let keys = config["keys"].as_str().unwrap();
    let claim = &document("PersistentVolumeClaim")["metadata"]["name"];
    let containers = [container, &spec["initContainers"][0]];
    for (mount, volume) in containers.map(|one| mounted(spec, one, keys)) {
        assert_eq!(volume["persistentVolumeClaim"]["claimName"], *claim);
        assert_eq!(mount["readOnly"], Value::Null, "keys are made there");
    }
    let (_, first) = mounted(spec, containers[1], "/from");
    let first = &first["secret"];
    assert!(made_of(first["secretName"].as_str().unwrap()).contains("keys/"));
    // It is deleted once they are there.
    assert_eq!(first["optional"], true);
}

/// Whoever breaks into the process has no other user, no other program and no cluster.
#[test]
fn in_kubernetes_a_pod_may_do_no_more_than_it_needs() {
    let deployment = document("Deployment");
    let spec = &deployment["spec"]["template"]["spec"];
    assert_eq!(spec["automountServiceAccountToken"], false);
    assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
    for container in [&spec["containers"][0], &spec["initContainers"][0]] {
        let may = &container["securityContext"];
        assert_eq!(may["allowPrivilegeEscalation"], false);
        assert_eq!(may["readOnlyRootFilesystem"], true);
        assert_eq!(may["capabilities"]["drop"], serde_json::json!(["ALL"]));
    }
}

/// No request is lost while one version takes the other's place.
#[test]
fn in_kubernetes_a_pod_is_replaced_by_one_that_is_ready_and_ends_what_it_has_begun() {
    let deployment = document("Deployment");
    let turns = &deployment["spec"]["strategy"]["rollingUpdate"];
    assert_eq!(turns["maxUnavailable"], 0);
    assert!(turns["maxSurge"].as_u64().unwrap() > 0);
    let spec = &deployment["spec"]["template"]["spec"];
    let container = &spec["containers"][0];
    let unheard = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64();
    let unheard = unheard.unwrap();
    assert!(unheard > 0, "the endpoints have not heard of it yet");
    // A request takes half a minute at most.
    let patience = spec["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(patience >= unheard + 30, "{patience}");
}
